package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/postgres"
)

// clientCommands keep the apps that sign people in here.
type clientCommands struct {
	Create       clientCreateCommand  `cmd:"" help:"Make an app, and print its id and its secret."`
	List         clientListCommand    `cmd:"" help:"List the apps."`
	Show         clientShowCommand    `cmd:"" help:"Print an app's settings as JSON."`
	RotateSecret clientRotateCommand  `cmd:"" name:"rotate-secret" help:"Give an app a new secret; the one before works for another day."`
	Delete       clientDeleteCommand  `cmd:"" help:"Delete an app and everything it was given."`
	Apply        clientApplyCommand   `cmd:"" help:"Make the apps that a file keeps the same as the file."`
	Example      clientExampleCommand `cmd:"" help:"Print such a file to begin with."`
}

type clientCreateCommand struct {
	ID              string   `arg:"" help:"The client_id: a-z, 0-9, - and _."`
	Name            string   `help:"What people are told that it is called." required:""`
	RedirectURI     []string `help:"Where people are sent back to; several times for several." placeholder:"URI" sep:"none"`
	LogoutURI       []string `help:"Where people may be sent after signing out." placeholder:"URI" sep:"none"`
	Public          bool     `help:"It can keep no secret: an app on phones or desktops, or in the browser."`
	FirstParty      bool     `help:"It is the site's own: nobody is asked to consent to it."`
	Scope           []string `help:"What it may ask for (openid, profile, email, phone, groups, offline_access)."`
	Grant           []string `help:"Grant types; authorization_code and refresh_token where there is a redirect URI." placeholder:"TYPE"`
	ResponseType    []string `help:"Response types: code, id_token." placeholder:"TYPE"`
	AuthMethod      string   `help:"client_secret_basic, client_secret_post or private_key_jwt." placeholder:"METHOD"`
	JWKS            string   `help:"File with its public keys, for private_key_jwt." type:"existingfile" placeholder:"FILE"`
	WithoutPKCE     bool     `help:"Let it ask for codes without PKCE (RFC 7636). For old programs alone: a stolen code is then worth as much as a secret."`
	Alg             string   `help:"How ID tokens are signed: RS256 or ES256." placeholder:"ALG"`
	TokenFormat     string   `help:"Access tokens: opaque or jwt." placeholder:"KIND"`
	Audience        []string `help:"Whom access tokens are for, beside the app." placeholder:"NAME"`
	BackchannelURI  string   `help:"Where its server is told that a session ended." placeholder:"URI"`
	FrontchannelURI string   `help:"The page of it that is shown, unseen, when somebody signs out." placeholder:"URI"`
	ACR             string   `help:"The least context that it lets in: mfa, aal2 or pwd+device." placeholder:"ACR"`
	Group           []string `help:"Let only people of these groups sign in." placeholder:"GROUP"`
	ReturnTo        []string `help:"For second factors alone: where people are sent back to." placeholder:"URI" sep:"none"`
	FrameAncestor   []string `help:"For second factors alone: origins that may show our page in a frame." placeholder:"ORIGIN" sep:"none"`
	Enrols          bool     `help:"For second factors alone: people set up their first one on this app's word."`
}

// Run makes the app.
func (k clientCreateCommand) Run(ctx context.Context, c *cli, out *os.File) error {
	app := models.App{
		ID: k.ID, Name: k.Name, Public: k.Public, FirstParty: k.FirstParty, RedirectURIs: k.RedirectURI, PostLogoutRedirectURIs: k.LogoutURI,
		ResponseTypes: k.ResponseType, AuthMethod: models.AppAuth(k.AuthMethod), PKCEOptional: k.WithoutPKCE, Scopes: k.Scope, Audiences: k.Audience,
		IDTokenAlg: k.Alg, TokenFormat: k.TokenFormat, BackchannelLogoutURI: k.BackchannelURI, FrontchannelLogoutURI: k.FrontchannelURI,
		ACR: models.ACR(k.ACR), Groups: k.Group,
	}
	for _, g := range k.Grant {
		if g == "device_code" {
			g = string(models.GrantDevice)
		}
		app.GrantTypes = append(app.GrantTypes, models.GrantType(g))
	}
	if k.JWKS != "" {
		keys, err := os.ReadFile(k.JWKS)
		if err != nil {
			return err
		}
		app.Keys = keys
	}
	if len(k.ReturnTo) > 0 {
		app.Transactions = &models.AppFactors{ReturnTo: k.ReturnTo, FrameAncestors: k.FrameAncestor, Enrols: k.Enrols}
	}
	app = app.WithDefaults()
	if problems := app.Check(); len(problems) > 0 {
		return problemsOf("client "+k.ID, problems)
	}
	return withStore(ctx, c, func(store *postgres.Store) error {
		secret, err := store.CreateApp(ctx, models.Ref{}, app, nil)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "client_id:     %s\n", app.ID)
		if secret != "" {
			fmt.Fprintf(out, "client_secret: %s\n", secret)
			fmt.Fprintln(out, "The secret is shown this once; only its hash is kept.")
		}
		if app.PKCEOptional {
			fmt.Fprintln(out, "It may ask for codes without PKCE.")
		}
		return nil
	})
}

// problemsOf is everything that is wrong with something, as one error.
func problemsOf(what string, problems []models.Problem) error {
	list := make([]error, 0, len(problems))
	for _, p := range problems {
		list = append(list, fmt.Errorf("%s: %s %s", what, p.Key, p.Message))
	}
	return errors.Join(list...)
}

type clientListCommand struct{}

// Run lists the apps, and says of each what is out of the ordinary.
func (clientListCommand) Run(ctx context.Context, c *cli, out *os.File) error {
	return withStore(ctx, c, func(store *postgres.Store) error {
		apps, err := store.Apps(ctx)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		for _, app := range apps {
			fmt.Fprintf(table, "%s\t%s\t%s\n", app.ID, app.Name, strings.Join(remarks(app), ", "))
		}
		return table.Flush()
	})
}

func remarks(app models.AppRecord) []string {
	list := []string{"confidential"}
	if app.Public {
		list = []string{"public"}
	}
	for _, r := range []struct {
		when bool
		say  string
	}{
		{app.FirstParty, "first party"}, {app.PKCEOptional, "PKCE NOT REQUIRED"}, {app.Managed == models.KeptByFile, "kept by a file"},
		{app.Transactions != nil, "second factors"}, {len(app.SecretHashes) > 1, "two secrets"},
	} {
		if r.when {
			list = append(list, r.say)
		}
	}
	return list
}

type clientShowCommand struct {
	ID string `arg:"" help:"The client_id."`
}

// Run prints the app's settings.
func (k clientShowCommand) Run(ctx context.Context, c *cli, out *os.File) error {
	return withStore(ctx, c, func(store *postgres.Store) error {
		app, err := store.App(ctx, k.ID)
		if err != nil {
			return fmt.Errorf("%s: %w", k.ID, err)
		}
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(app)
	})
}

type clientRotateCommand struct {
	ID string `arg:"" help:"The client_id."`
}

// Run makes a new secret.
func (k clientRotateCommand) Run(ctx context.Context, c *cli, out *os.File) error {
	return withStore(ctx, c, func(store *postgres.Store) error {
		secret, err := store.RotateAppSecret(ctx, models.Ref{}, k.ID, nil)
		if err != nil {
			return fmt.Errorf("%s: %w", k.ID, err)
		}
		fmt.Fprintf(out, "client_secret: %s\nThe one before works for another %s.\n", secret, postgres.SecretOverlap)
		return nil
	})
}

type clientDeleteCommand struct {
	ID string `arg:"" help:"The client_id."`
}

// Run deletes the app.
func (k clientDeleteCommand) Run(ctx context.Context, c *cli, out *os.File) error {
	return withStore(ctx, c, func(store *postgres.Store) error {
		if err := store.DeleteApp(ctx, models.Ref{}, k.ID, nil); err != nil {
			return fmt.Errorf("%s: %w", k.ID, err)
		}
		fmt.Fprintf(out, "%s is gone, and so is everything it was given\n", k.ID)
		return nil
	})
}
