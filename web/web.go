// Package web holds what a browser gets: the pages, their styles and their scripts, all of it inside the binary.
//
// Start with New, hand one of the page structs (LoginPage, SecurityPage, …) to Render, and serve what Asset finds
// under /static/. The pages only read: every write is a fetch to /v1, made by the modules below static/js. They run
// under a Content-Security-Policy without inline script or style, which a test holds.
//
// The package knows nothing of sessions, stores or HTTP and imports only the standard library.
package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
)

//go:embed templates
var templateFiles embed.FS

// Page is one of the page structs of this package.
type Page interface {
	// page names the template below templates/pages and what the browser's title bar says.
	page() (name, title string)
	layout() Layout
}

// Pages renders pages and finds assets. It is safe for concurrent use.
type Pages struct {
	siteName  string
	assets    assets
	templates map[string]*template.Template
}

// New parses every template and hashes every asset, so that a broken one stops the start and not a sign-in.
// An empty siteName becomes "Sallyport".
func New(siteName string) (*Pages, error) {
	if siteName == "" {
		siteName = "Sallyport"
	}
	found, err := loadAssets()
	if err != nil {
		return nil, err
	}
	p := &Pages{siteName: siteName, assets: found, templates: map[string]*template.Template{}}
	common, err := template.New("layout.html").Funcs(p.funcs()).
		ParseFS(templateFiles, "templates/layout.html", "templates/partials/*.html")
	if err != nil {
		return nil, fmt.Errorf("parse layout: %w", err)
	}
	for _, page := range everyPage {
		name, _ := page.page()
		t, err := common.Clone()
		if err != nil {
			return nil, fmt.Errorf("clone layout for %s: %w", name, err)
		}
		if _, err := t.ParseFS(templateFiles, "templates/pages/"+name+".html"); err != nil {
			return nil, fmt.Errorf("parse page %s: %w", name, err)
		}
		p.templates[name] = t
	}
	return p, nil
}

// everyPage is what New parses; a page struct that is missing here fails its first test.
var everyPage = []Page{
	LoginPage{}, RegisterPage{}, VerifyPage{}, AccountPage{}, SecurityPage{}, SessionsPage{}, ActivityPage{}, PrivacyPage{}, NotMePage{},
	ConfirmEmailPage{}, ProveEmailPage{}, UndoEmailPage{}, ForgotPage{}, ResetLinkPage{}, ResetPage{}, RecoveryLinkPage{}, AdminRecoveriesPage{}, ChatPage{}, ErrorPage{}, AppErrorPage{},
	AuthorizePage{}, DevicePage{}, FoundDevicePage{}, ConfirmPage{}, FormPostPage{}, EndSessionPage{}, TransactionPage{},
}

// Render writes the whole page or nothing: it renders into memory first, so that an error never follows half a page.
func (p *Pages) Render(w io.Writer, page Page) error {
	name, title := page.page()
	t, ok := p.templates[name]
	if !ok {
		return fmt.Errorf("render page %s: no such template", name)
	}
	if own := page.layout().Title; own != "" {
		title = own
	}
	var out bytes.Buffer
	err := t.Execute(&out, view{Page: page, Layout: page.layout(), Title: title, SiteName: p.siteName})
	if err != nil {
		return fmt.Errorf("render page %s: %w", name, err)
	}
	_, err = out.WriteTo(w)
	return err
}

// view is what the layout sees; the page's own block gets the page struct itself.
type view struct {
	Page     Page
	Layout   Layout
	Title    string
	SiteName string
}
