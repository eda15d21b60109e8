package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"github.com/sallyport/sallyport/biometrics"
)

// What the package registries have, where dlib's own site is out of reach: the
// descriptor net with 8-bit weights inside an npm package, and the 68-point
// landmarks in Debian's libdlib-data. Nobody packages the CNN detector.
const (
	npmPackage = "@vladmandic/face-api@1.7.15"
	npmTarball = "vladmandic-face-api-1.7.15.tgz"
	// npmSHA256 is of the tarball as the registry serves it.
	npmSHA256  = "0d77fffeef362ef9c0939cf6c567f3a2e8e177f114fa257a3270cbd2e509b031"
	npmWeights = "model/face_recognition_model.bin"
	npmLayout  = "model/face_recognition_model-weights_manifest.json"
)

// fromRegistries gets the stand-in for a file.
func (p *preparer) fromRegistries(ctx context.Context, name, target string) (biometrics.ManifestEntry, error) {
	switch name {
	case biometrics.DescriptorFile:
		return p.convertDescriptor(ctx, name, target)
	case biometrics.LandmarksFile:
		id, err := installFile(target, p.landmarks68)
		if err != nil {
			return biometrics.ManifestEntry{}, fmt.Errorf("libdlib-data: %w", err)
		}
		e := entry(name, id, "the 68-point predictor of Debian's libdlib-data, by which dlib aligns as well")
		e.Licence = licence68
		return e, nil
	case biometrics.DetectorFile:
		return p.untrainedDetector(ctx, name, target)
	}
	return biometrics.ManifestEntry{}, errors.New("nothing")
}

// convertDescriptor turns the npm package's weights into dlib's format.
func (p *preparer) convertDescriptor(ctx context.Context, name, target string) (biometrics.ManifestEntry, error) {
	files, err := p.npm(ctx)
	if err != nil {
		return biometrics.ManifestEntry{}, err
	}
	weights, err := dequantise(files[npmLayout], files[npmWeights])
	if err != nil {
		return biometrics.ManifestEntry{}, fmt.Errorf("%s: %w", npmPackage, err)
	}
	raw := filepath.Join(p.work, "weights.f32")
	_, err = install(raw, bytes.NewReader(weights), nil)
	if err != nil {
		return biometrics.ManifestEntry{}, err
	}
	defer func() { _ = os.Remove(raw) }()
	id, err := p.convert(ctx, target, "descriptor", raw)
	if err != nil {
		return biometrics.ManifestEntry{}, err
	}
	return entry(name, id, fmt.Sprintf("converted from npm %s (%s)", npmPackage, id.ModelName())), nil
}

// untrainedDetector writes a net that go-face can open and nobody can use.
func (p *preparer) untrainedDetector(ctx context.Context, name, target string) (biometrics.ManifestEntry, error) {
	id, err := p.convert(ctx, target, "detector")
	if err != nil {
		return biometrics.ManifestEntry{}, err
	}
	e := entry(name, id, "untrained, so that go-face loads; HOG finds the faces")
	e.Trained = false
	return e, nil
}

// npm returns the files we use of the npm package, by their name in it. The
// tarball is kept.
func (p *preparer) npm(ctx context.Context) (map[string][]byte, error) {
	tarball := filepath.Join(p.work, npmTarball)
	data, err := os.ReadFile(tarball)
	if err != nil {
		data, err = p.npmPack(ctx, tarball)
	}
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	if digest := hex.EncodeToString(sum[:]); digest != npmSHA256 {
		_ = os.Remove(tarball)
		return nil, fmt.Errorf("%s has sha256 %s, want %s", npmTarball, digest, npmSHA256)
	}
	return unpack(data)
}

// npmPack has npm download the package, so that whatever registry and credentials
// the machine is set up with are used.
func (p *preparer) npmPack(ctx context.Context, tarball string) ([]byte, error) {
	temp, err := os.MkdirTemp(p.work, "npm")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(temp) }()
	err = command(ctx, "npm", "pack", "--silent", "--pack-destination", temp, npmPackage)
	if err != nil {
		return nil, err
	}
	err = os.Rename(filepath.Join(temp, npmTarball), tarball)
	if err != nil {
		return nil, err
	}
	return os.ReadFile(tarball)
}

// unpack returns the weights, their layout and the sample photos.
func unpack(tarball []byte) (map[string][]byte, error) {
	unzipped, err := gzip.NewReader(bytes.NewReader(tarball))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", npmTarball, err)
	}
	files := make(map[string][]byte)
	for r := tar.NewReader(unzipped); ; {
		header, err := r.Next()
		if err == io.EOF {
			return files, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", npmTarball, err)
		}
		name := strings.TrimPrefix(header.Name, "package/")
		sample, err := path.Match("demo/sample*.jpg", name)
		if err != nil {
			return nil, err
		}
		if name != npmWeights && name != npmLayout && !sample {
			continue
		}
		files[name], err = io.ReadAll(io.LimitReader(r, maxModel))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", npmTarball, err)
		}
	}
}

// command runs a program and puts the end of what it printed into its error.
func command(ctx context.Context, name string, args ...string) error {
	output, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err == nil {
		return nil
	}
	text := strings.Join(strings.Fields(string(output)), " ")
	if len(text) > 300 {
		text = "… " + strings.ToValidUTF8(text[len(text)-300:], "")
	}
	return fmt.Errorf("%s: %w: %s", name, err, text)
}
