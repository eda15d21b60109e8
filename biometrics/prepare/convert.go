package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"github.com/sallyport/sallyport/biometrics"
)

// convert has the converter write a model file, and installs it.
func (p *preparer) convert(ctx context.Context, target string, args ...string) (biometrics.FileID, error) {
	tool, err := p.buildConverter(ctx)
	if err != nil {
		return biometrics.FileID{}, err
	}
	temp, err := os.MkdirTemp(p.work, "convert")
	if err != nil {
		return biometrics.FileID{}, err
	}
	defer func() { _ = os.RemoveAll(temp) }()
	out := filepath.Join(temp, "out.dat")
	err = command(ctx, tool, append(args, out)...)
	if err != nil {
		return biometrics.FileID{}, err
	}
	return installFile(target, out)
}

// buildConverter compiles the converter, which takes dlib's headers half a minute,
// unless the same source was compiled before.
func (p *preparer) buildConverter(ctx context.Context) (string, error) {
	source, err := os.ReadFile(p.converter)
	if err != nil {
		return "", fmt.Errorf("converter: %w", err)
	}
	sum := sha256.Sum256(source)
	work, err := filepath.Abs(p.work)
	if err != nil {
		return "", err
	}
	tool := filepath.Join(work, "convert-"+hex.EncodeToString(sum[:6]))
	_, err = os.Stat(tool)
	if err == nil {
		return tool, nil
	}
	p.say("compiling %s", p.converter)
	temp, err := os.MkdirTemp(p.work, "compile")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(temp) }()
	compiled := filepath.Join(temp, "convert")
	err = command(ctx, "g++", "-std=c++17", "-O1", "-DNDEBUG", "-o", compiled, p.converter, "-ldlib", "-lblas", "-llapack")
	if err != nil {
		return "", err
	}
	return tool, os.Rename(compiled, tool)
}
