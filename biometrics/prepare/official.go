package main

import (
	"compress/bzip2"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/sallyport/sallyport/biometrics"
)

const (
	connectTimeout  = 10 * time.Second
	downloadTimeout = 5 * time.Minute
)

// fromOfficial downloads dlib's own file, packed with bzip2, and refuses whatever
// is not the file that its author published. The transport is plain HTTP, so the
// digest is all that vouches for it.
func (p *preparer) fromOfficial(ctx context.Context, name, path string) (biometrics.ManifestEntry, error) {
	content, url, err := p.download(ctx, name+".bz2")
	if err != nil {
		return biometrics.ManifestEntry{}, err
	}
	defer func() { _ = content.Close() }()
	id, err := install(path, bzip2.NewReader(content), func(id biometrics.FileID) error {
		if !id.Official(name) {
			return fmt.Errorf("%s is not the official file: its git blob id is %s", url, id.Blob)
		}
		return nil
	})
	if err != nil {
		return biometrics.ManifestEntry{}, err
	}
	return entry(name, id, "official file from "+url), nil
}

// download opens a file of the official place.
func (p *preparer) download(ctx context.Context, file string) (content io.ReadCloser, url string, err error) {
	if p.official == "" {
		return nil, "", errors.New("switched off")
	}
	if p.officialErr != nil {
		return nil, "", p.officialErr
	}
	url = p.official + "/" + file
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, url, err
	}
	client := http.Client{
		Timeout: downloadTimeout, // of the content too
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: connectTimeout}).DialContext,
			ResponseHeaderTimeout: connectTimeout,
		},
	}
	response, err := client.Do(request)
	if err != nil {
		// One wait for a place out of reach is enough for three files.
		p.officialErr = fmt.Errorf("not reachable: %w", unwrapURL(err))
		return nil, url, p.officialErr
	}
	if response.StatusCode != http.StatusOK {
		_ = response.Body.Close()
		return nil, url, fmt.Errorf("%s answered %s", url, response.Status)
	}
	return response.Body, url, nil
}

// unwrapURL drops the "Get URL" that the caller's message has already.
func unwrapURL(err error) error {
	var opErr *net.OpError
	if errors.As(err, &opErr) {
		return opErr
	}
	return err
}

// fromLocal copies a file that somebody put into the local folder. Any net of the
// right shape is welcome there: its digest becomes part of the model's name.
func (p *preparer) fromLocal(_ context.Context, name, path string) (biometrics.ManifestEntry, error) {
	from := filepath.Join(p.source, name)
	_, err := os.Stat(from)
	if errors.Is(err, os.ErrNotExist) {
		return biometrics.ManifestEntry{}, fmt.Errorf("no %s", from)
	}
	id, err := installFile(path, from)
	if err != nil {
		return biometrics.ManifestEntry{}, err
	}
	if id.Official(name) {
		return entry(name, id, "official file from the local folder"), nil
	}
	return entry(name, id, "local folder"), nil
}
