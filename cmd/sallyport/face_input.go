package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/biometrics/evaluate"
)

// photo is a picture of a labelled person, still a file.
type photo struct {
	person, path string
	number       int // in the person's order
}

// splitLabel takes group=INPUT apart. An input that exists as it is written has no
// label, also with a = in its name.
func splitLabel(input string) (label, path string) {
	label, path, ok := strings.Cut(input, "=")
	if _, err := os.Stat(input); err == nil || !ok {
		return "", input
	}
	return label, path
}

func labelled(label, path string) string {
	if label == "" {
		return path
	}
	return label + "=" + path
}

// subjects reads all inputs. acquired is the rate of pictures that gave no
// descriptor.
func (e faceEvaluateCommand) subjects(ctx context.Context, config Config) (all []evaluate.Subject, acquired evaluate.Rate, err error) {
	var groups map[string]string
	if e.Groups != "" {
		f, err := os.Open(e.Groups)
		if err != nil {
			return nil, acquired, err
		}
		defer f.Close()
		groups, err = evaluate.ReadGroups(e.Groups, f)
		if err != nil {
			return nil, acquired, err
		}
	}
	failed, pictures := 0, 0
	for _, input := range e.Inputs {
		label, path := splitLabel(input)
		info, err := os.Stat(path)
		if err != nil {
			return nil, acquired, err
		}
		var subjects []evaluate.Subject
		if !info.IsDir() {
			subjects, err = readDescriptors(path)
		} else {
			var photos []photo
			photos, err = listPhotos(path)
			if err == nil {
				var without int
				subjects, without, err = e.describe(ctx, config, photos)
				failed, pictures = failed+without, pictures+len(photos)
			}
		}
		if err != nil {
			return nil, acquired, err
		}
		for i := range subjects {
			subjects[i].Group = label
			if group, ok := groups[subjects[i].ID]; ok {
				subjects[i].Group = group
			}
		}
		all, err = evaluate.Merge(all, subjects)
		if err != nil {
			return nil, acquired, err
		}
	}
	return all, evaluate.NewRate(failed, pictures), nil
}

func readDescriptors(path string) ([]evaluate.Subject, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return evaluate.ReadDescriptors(path, f)
}

var (
	pictureName  = regexp.MustCompile(`(?i)\.(jpe?g|png|webp)$`)
	numberedName = regexp.MustCompile(`^(.+)-([0-9]{1,9})\.[^.]+$`)
)

// listPhotos finds the pictures of a folder: those in a subfolder are of the person
// that it is named for, name-N.jpg beside them is the N-th of that name. Other files
// are none of ours.
func listPhotos(folder string) ([]photo, error) {
	var photos []photo
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !pictureName.MatchString(path) {
			return err
		}
		relative, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		person, rest, nested := strings.Cut(filepath.ToSlash(relative), "/")
		numbered := numberedName.FindStringSubmatch(filepath.Base(path))
		p := photo{person: person, path: path}
		if numbered != nil {
			p.number, _ = strconv.Atoi(numbered[2]) // nine digits at most
		}
		switch {
		case !nested && numbered == nil, strings.Contains(rest, "/"):
			return nil
		case !nested:
			p.person = numbered[1]
		}
		photos = append(photos, p)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(photos) == 0 {
		return nil, fmt.Errorf("%s: holds no photos in a folder for each person, nor any called name-1.jpg", folder)
	}
	slices.SortStableFunc(photos, func(a, b photo) int {
		if a.person != b.person {
			return strings.Compare(a.person, b.person)
		}
		return a.number - b.number
	})
	return photos, nil
}
