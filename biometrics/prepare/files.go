package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/sallyport/sallyport/biometrics"
)

// maxModel bounds a model file: the largest known, 68 landmarks, has 100 MB.
const maxModel = 256 << 20

// reasons is why no source had a file, one after the other.
type reasons []string

func (r *reasons) add(source string, err error) {
	*r = append(*r, fmt.Sprintf("%s: %v", source, err))
}

func (r reasons) Error() string { return strings.Join(r, "; ") }

// Licences that bind whoever runs the file. The official 5-point predictor, the
// descriptor net and the detector are in the public domain.
const (
	licence68 = "trained on iBUG 300-W, which excludes commercial use; a commercial site installs the official 5-point file (public domain)"
)

// entry describes a trained file.
func entry(name string, id biometrics.FileID, from string) biometrics.ManifestEntry {
	return biometrics.ManifestEntry{File: name, SHA256: id.SHA256, From: from, Trained: true}
}

// install writes a file whole or not at all: into a name of its own beside path,
// then renamed. accept sees the identity before the rename and may refuse it.
func install(path string, content io.Reader, accept func(biometrics.FileID) error) (biometrics.FileID, error) {
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return biometrics.FileID{}, err
	}
	defer func() { _ = os.Remove(temp.Name()) }() // gone already where all went well
	n, err := io.Copy(temp, io.LimitReader(content, maxModel+1))
	err = errors.Join(err, temp.Sync(), temp.Chmod(0o644), temp.Close())
	if err != nil {
		return biometrics.FileID{}, err
	}
	if n > maxModel {
		return biometrics.FileID{}, fmt.Errorf("more than %d MiB", maxModel>>20)
	}
	id, err := biometrics.IdentifyFile(temp.Name())
	if err != nil {
		return biometrics.FileID{}, err
	}
	if accept != nil {
		err = accept(id)
		if err != nil {
			return biometrics.FileID{}, err
		}
	}
	return id, os.Rename(temp.Name(), path)
}

func installFile(path, from string) (biometrics.FileID, error) {
	f, err := os.Open(from)
	if err != nil {
		return biometrics.FileID{}, err
	}
	defer func() { _ = f.Close() }()
	return install(path, f, nil)
}

func readManifest(dir string) (biometrics.Manifest, error) {
	data, err := os.ReadFile(filepath.Join(dir, biometrics.ManifestFile))
	if errors.Is(err, os.ErrNotExist) {
		return biometrics.Manifest{}, nil
	}
	if err != nil {
		return biometrics.Manifest{}, err
	}
	return biometrics.ParseManifest(data)
}

// writeManifest leaves a manifest that says the same as it is.
func writeManifest(dir string, m biometrics.Manifest) error {
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	data = append(data, '\n')
	path := filepath.Join(dir, biometrics.ManifestFile)
	old, err := os.ReadFile(path)
	if err == nil && bytes.Equal(old, data) {
		return nil
	}
	_, err = install(path, bytes.NewReader(data), nil)
	return err
}
