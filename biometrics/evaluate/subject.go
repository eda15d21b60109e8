package evaluate

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/biometrics"
)

// Subject is one labelled person.
type Subject struct {
	ID    string
	Group string // of people who are alike to the net; empty where nobody said
	// Photos are in the order they were taken. Each has one descriptor, or
	// several where it was made into the frames of one capture.
	Photos [][]biometrics.Descriptor
}

// maxLine is longer than any line with one descriptor in base64.
const maxLine = 1 << 16

// ReadDescriptors reads one JSON object a line, {"id": person, "descriptor":
// base64 of 128 little-endian singles}, several lines a person. Subjects come in
// the order of their first line. Errors name the file, by the name given, and the
// line.
func ReadDescriptors(name string, r io.Reader) ([]Subject, error) {
	var subjects []Subject
	index := make(map[string]int)
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	number := 0
	for lines.Scan() {
		number++
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		id, d, err := readLine(lines.Bytes())
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, number, err)
		}
		i, known := index[id]
		if !known {
			i = len(subjects)
			index[id] = i
			subjects = append(subjects, Subject{ID: id})
		}
		subjects[i].Photos = append(subjects[i].Photos, []biometrics.Descriptor{d})
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return nil, fmt.Errorf("%s:%d: line is longer than %d bytes", name, number+1, maxLine)
	}
	if lines.Err() != nil {
		return nil, fmt.Errorf("%s: %w", name, lines.Err())
	}
	if len(subjects) == 0 {
		return nil, fmt.Errorf("%s: holds no descriptors", name)
	}
	return subjects, nil
}

func readLine(line []byte) (string, biometrics.Descriptor, error) {
	var fields struct {
		ID         string `json:"id"`
		Descriptor []byte `json:"descriptor"`
	}
	var d biometrics.Descriptor
	err := json.Unmarshal(line, &fields)
	if err != nil {
		return "", d, fmt.Errorf("not an object of id and base64 descriptor: %w", err)
	}
	if fields.ID == "" {
		return "", d, errors.New("no id")
	}
	return fields.ID, d, d.UnmarshalBinary(fields.Descriptor)
}

// ReadGroups reads lines of person,group; those that begin with # are comments.
// A person in two groups is an error, which like all others names file and line.
func ReadGroups(name string, r io.Reader) (map[string]string, error) {
	groups := make(map[string]string)
	lines := bufio.NewScanner(r)
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		id, group, ok := strings.Cut(line, ",")
		id, group = strings.TrimSpace(id), strings.TrimSpace(group)
		if !ok || id == "" || group == "" {
			return nil, fmt.Errorf("%s:%d: not person,group", name, number)
		}
		if was, twice := groups[id]; twice && was != group {
			return nil, fmt.Errorf("%s:%d: %s is in the groups %s and %s", name, number, id, was, group)
		}
		groups[id] = group
	}
	if lines.Err() != nil {
		return nil, fmt.Errorf("%s: %w", name, lines.Err())
	}
	return groups, nil
}

// Merge joins the people of several inputs. Somebody in two of them is an error:
// his comparisons with himself would count as impostors'.
func Merge(inputs ...[]Subject) ([]Subject, error) {
	all := slices.Concat(inputs...)
	seen := make(map[string]bool, len(all))
	for _, s := range all {
		if seen[s.ID] {
			return nil, fmt.Errorf("%s is in two inputs", s.ID)
		}
		seen[s.ID] = true
	}
	return all, nil
}
