package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/sallyport/sallyport/biometrics"
)

// descriptorCache keeps the descriptors of photos in a file, a line a photo, so that
// a long evaluation that was stopped goes on where it was. A photo is known by its
// SHA-256, under one model and number of frames. It is safe for concurrent use.
type descriptorCache struct {
	model  string // biometrics.Model.Key
	frames int

	mu    sync.Mutex
	file  *os.File                           // nil without a cache; guarded by mu
	known map[string][]biometrics.Descriptor // guarded by mu
}

type cacheLine struct {
	Picture     string   `json:"picture"` // hex SHA-256
	Model       string   `json:"model"`
	Frames      int      `json:"frames"`
	Descriptors [][]byte `json:"descriptors"` // none where the photo failed
}

// openDescriptorCache opens or makes the file. An empty path caches nothing. A file
// that others may read is refused: what is in it is biometric data.
func openDescriptorCache(path, model string, frames int) (*descriptorCache, error) {
	c := &descriptorCache{model: model, frames: frames, known: make(map[string][]biometrics.Descriptor)}
	if path == "" {
		return c, nil
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		err = fmt.Errorf("%s: holds biometric data and others may read it (mode %v): chmod 600", path, info.Mode().Perm())
	}
	if err == nil {
		err = c.read(f, path)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	c.file = f
	return c, nil
}

// read takes in what is there and leaves the file at the end of its last whole line:
// a run that was killed may have left a piece.
func (c *descriptorCache) read(f *os.File, path string) error {
	r := bufio.NewReader(f)
	end := int64(0)
	for number := 1; ; number++ {
		line, err := r.ReadBytes('\n')
		if err != nil { // at the end, or a piece without an end
			if err := f.Truncate(end); err != nil {
				return err
			}
			_, err := f.Seek(end, 0)
			return err
		}
		end += int64(len(line))
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if err := c.take(line); err != nil {
			return fmt.Errorf("%s:%d: %w", path, number, err)
		}
	}
}

func (c *descriptorCache) take(line []byte) error {
	var l cacheLine
	if err := json.Unmarshal(line, &l); err != nil {
		return fmt.Errorf("not a line of a descriptor cache: %w", err)
	}
	if l.Model != c.model || l.Frames != c.frames {
		return nil // of another run
	}
	ds := make([]biometrics.Descriptor, len(l.Descriptors))
	for i, raw := range l.Descriptors {
		if err := ds[i].UnmarshalBinary(raw); err != nil {
			return err
		}
	}
	c.known[l.Picture] = ds
	return nil
}

// Get returns what is known of a photo.
func (c *descriptorCache) Get(picture string) ([]biometrics.Descriptor, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ds, ok := c.known[picture]
	return ds, ok
}

// Put keeps the descriptors of a photo, none where it failed.
func (c *descriptorCache) Put(picture string, ds []biometrics.Descriptor) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known[picture] = ds
	if c.file == nil {
		return nil
	}
	l := cacheLine{Picture: picture, Model: c.model, Frames: c.frames, Descriptors: [][]byte{}}
	for _, d := range ds {
		raw, err := d.MarshalBinary()
		if err != nil {
			return err
		}
		l.Descriptors = append(l.Descriptors, raw)
	}
	line, err := json.Marshal(l)
	if err != nil {
		return err
	}
	_, err = c.file.Write(append(line, '\n'))
	return err
}

// Close closes the file.
func (c *descriptorCache) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.file == nil {
		return nil
	}
	return c.file.Close()
}
