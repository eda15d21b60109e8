package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/sallyport/sallyport/models/postgres"
	"github.com/sallyport/sallyport/models/seal"
	"github.com/sallyport/sallyport/server/oidc"
)

// The files of a key folder.
const (
	sealFile   = "seal.json"
	digestFile = "digest.key"
)

type keysGenerateCommand struct {
	Dir string `help:"Folder for the files." required:"" type:"path"`
}

// Run makes what is missing and never touches a key that exists.
func (g keysGenerateCommand) Run(out *os.File) error {
	if err := os.MkdirAll(g.Dir, 0o700); err != nil {
		return err
	}
	keyset, err := seal.NewKeys()
	if err != nil {
		return err
	}
	digest := []byte(base64.StdEncoding.EncodeToString(seal.Random(32)))
	for name, content := range map[string][]byte{sealFile: keyset, digestFile: digest} {
		path := filepath.Join(g.Dir, name)
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return err
		}
		_, err = f.Write(content)
		if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
			return err
		}
		fmt.Fprintln(out, "made "+path)
	}
	return nil
}

type keysRotateCommand struct {
	File string `help:"A keyset file: what seals. Without it the keys that sign tokens rotate." type:"existingfile"`
}

// Run rotates either. A keyset file is replaced whole: a crash leaves the old one or the
// new one.
func (r keysRotateCommand) Run(ctx context.Context, c *cli, out *os.File) error {
	if r.File == "" {
		return withStore(ctx, c, func(store *postgres.Store) error {
			activeAt, err := oidc.Rotate(ctx, store, time.Now())
			if err == nil {
				fmt.Fprintf(out, "new keys are published; they sign from %s on, and older ones are verified by until what they signed is over\n", activeAt.UTC().Format(time.RFC3339))
			}
			return err
		})
	}
	old, err := os.ReadFile(r.File)
	if err != nil {
		return err
	}
	rotated, err := seal.RotateKeys(old)
	if err != nil {
		return err
	}
	fresh := r.File + ".new"
	if err := os.WriteFile(fresh, rotated, 0o600); err != nil {
		return err
	}
	if err := os.Rename(fresh, r.File); err != nil {
		return err
	}
	fmt.Fprintln(out, "added a primary key; restart every instance with this file")
	return nil
}
