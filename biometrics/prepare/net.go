package main

import (
	"compress/bzip2"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/sallyport/sallyport/biometrics"
)

// choose has the descriptor net of that name prepared in place of dlib's own.
func (p *preparer) choose(name string) error {
	net, err := biometrics.FindNet(name)
	if err == nil && net.Packed == "" {
		err = fmt.Errorf("%s is not one that is asked for by name", name)
	}
	p.net = net
	return err
}

// packed tells whether a file is the net that was asked for, which comes by
// fromArchive alone.
func (p *preparer) packed(name string) bool {
	return name == biometrics.DescriptorFile && p.net.Packed != ""
}

// fromArchive unpacks the net that was asked for, out of the archive in the local
// folder or from the official place. Of the archive, and not of what is in it, the
// git blob id is known: one with another is refused.
func (p *preparer) fromArchive(ctx context.Context, _, path string) (biometrics.ManifestEntry, error) {
	archive := filepath.Join(p.work, p.net.Packed)
	content, from, err := p.openArchive(ctx)
	if err != nil {
		return biometrics.ManifestEntry{}, err
	}
	defer func() { _ = content.Close() }()
	_, err = install(archive, content, func(id biometrics.FileID) error {
		if id.Blob != p.net.PackedBlob {
			return fmt.Errorf("%s is not the published %s: its git blob id is %s", from, p.net.Packed, id.Blob)
		}
		return nil
	})
	if err != nil {
		return biometrics.ManifestEntry{}, err
	}
	defer func() { _ = os.Remove(archive) }()
	f, err := os.Open(archive)
	if err != nil {
		return biometrics.ManifestEntry{}, err
	}
	defer func() { _ = f.Close() }()
	id, err := install(path, bzip2.NewReader(f), nil)
	if err != nil {
		return biometrics.ManifestEntry{}, err
	}
	return entry(biometrics.DescriptorFile, id, fmt.Sprintf("%s, unpacked from %s", p.net.Name, from)), nil
}

func (p *preparer) openArchive(ctx context.Context) (content io.ReadCloser, from string, err error) {
	local := filepath.Join(p.source, p.net.Packed)
	f, err := os.Open(local)
	if err == nil {
		return f, "the local folder", nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, local, err
	}
	content, from, err = p.download(ctx, p.net.Packed)
	if err != nil {
		err = fmt.Errorf("no %s; %w", local, err)
	}
	return content, from, err
}
