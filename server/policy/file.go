// Package policy reads the policy file, holds the policy in force, and swaps a
// changed file in while the server runs.
package policy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/models"
	"go.yaml.in/yaml/v3"
)

// Error is everything wrong with a policy file.
type Error struct {
	Name     string // the file
	Problems []string
}

func (e *Error) Error() string {
	return fmt.Sprintf("policy %s: %s", e.Name, strings.Join(e.Problems, "; "))
}

// Defaults gives what a document leaves out, by the face.metric and face.model
// that it does name ("" for each that it doesn't): a threshold means nothing
// without them, so it can't be the same for all.
type Defaults func(metric, model string) models.Policy

// Judge finds what is wrong with a policy at a time, beside what always is.
type Judge func(models.Policy) []models.Problem

// Parse reads a policy document over defaults: what it doesn't name keeps its
// default. Unknown keys, bad values and what the judges find are refused, all at
// once, each with its line and key.
func Parse(name string, document []byte, defaults Defaults, judges ...Judge) (models.Policy, error) {
	refused := &Error{Name: name}
	var root yaml.Node
	if err := yaml.Unmarshal(document, &root); err != nil {
		refused.Problems = append(refused.Problems, strings.TrimPrefix(err.Error(), "yaml: "))
		return models.Policy{}, refused
	}
	keys := map[int]string{}
	lines := map[string]int{}
	index(&root, "", keys, lines)

	policy := defaults(scalar(&root, "face", "metric"), scalar(&root, "face", "model"))
	policy.Factors.Allowed = slices.Clone(policy.Factors.Allowed)
	dec := yaml.NewDecoder(bytes.NewReader(document))
	dec.KnownFields(true)
	err := dec.Decode(&policy)
	var wrong *yaml.TypeError
	switch {
	case errors.As(err, &wrong):
		for _, problem := range wrong.Errors {
			refused.Problems = append(refused.Problems, explain(problem, keys))
		}
		return models.Policy{}, refused
	case errors.Is(err, io.EOF): // an empty file: all defaults
	case err != nil:
		// A value's own reading says what is wrong with it, but not where.
		refused.Problems = append(refused.Problems, locate(&root, err.Error())+strings.TrimPrefix(err.Error(), "yaml: "))
		return models.Policy{}, refused
	}
	if err := dec.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		refused.Problems = append(refused.Problems, "holds more than one document")
	}
	problems := policy.Validate()
	for _, judge := range judges {
		problems = append(problems, judge(policy)...)
	}
	for _, problem := range problems {
		refused.Problems = append(refused.Problems, where(problem.Key, lines)+problem.Key+" "+problem.Message)
	}
	if len(refused.Problems) > 0 {
		return models.Policy{}, refused
	}
	return policy, nil
}

// scalar is the value at a path of keys in a document, "" where there is none.
func scalar(root *yaml.Node, path ...string) string {
	if len(root.Content) == 0 {
		return ""
	}
	node := root.Content[0]
	for _, key := range path {
		node = child(node, key)
	}
	return node.Value
}

// child is what a key of a mapping holds, or an empty node.
func child(node *yaml.Node, key string) *yaml.Node {
	if node.Kind == yaml.MappingNode {
		for i, name := range node.Content {
			if i%2 == 1 || name.Value != key {
				continue
			}
			held := node.Content[i+1]
			if held.Kind == yaml.AliasNode {
				return held.Alias
			}
			return held
		}
	}
	return &yaml.Node{}
}

// index notes which line each dotted key stands on, and the other way round. Entries of
// a list are counted from 1.
func index(node *yaml.Node, path string, keys map[int]string, lines map[string]int) {
	switch node.Kind {
	case yaml.DocumentNode:
		for _, child := range node.Content {
			index(child, path, keys, lines)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			key, value := node.Content[i], node.Content[i+1]
			dotted := strings.TrimPrefix(path+"."+key.Value, ".")
			keys[key.Line], lines[dotted] = dotted, key.Line
			index(value, dotted, keys, lines)
		}
	case yaml.SequenceNode:
		for i, entry := range node.Content {
			dotted := path + "." + strconv.Itoa(i+1)
			lines[dotted] = entry.Line
			index(entry, dotted, keys, lines)
		}
	default: // values have no keys
	}
}

// locate gives line and key of the value that a complaint quotes.
func locate(node *yaml.Node, complaint string) string {
	for i, child := range node.Content {
		if child.Kind == yaml.ScalarNode && node.Kind == yaml.MappingNode && i%2 == 1 && strings.Contains(complaint, strconv.Quote(child.Value)) {
			return fmt.Sprintf("line %d: %s: ", child.Line, node.Content[i-1].Value)
		}
		if found := locate(child, complaint); found != "" {
			return found
		}
	}
	return ""
}

var (
	atLine  = regexp.MustCompile(`^line (\d+): (.*)$`)
	unknown = regexp.MustCompile(`^field (\S+) not found in type \S+$`)
	notType = regexp.MustCompile("^cannot unmarshal \\S+ `?(.*?)`? into (\\S+)$")
)

// explain puts one of the decoder's complaints into words that name the key.
func explain(problem string, keys map[int]string) string {
	m := atLine.FindStringSubmatch(problem)
	if m == nil {
		return problem
	}
	line, _ := strconv.Atoi(m[1])
	key, what := keys[line], m[2]
	switch {
	case unknown.MatchString(what):
		what = "is not a key of the policy"
	case notType.MatchString(what):
		what = fmt.Sprintf("can't be %q", notType.FindStringSubmatch(what)[1])
	}
	return fmt.Sprintf("line %d: %s %s", line, key, what)
}

// where gives the line of a key, or of the nearest key above it.
func where(key string, lines map[string]int) string {
	for key != "" {
		if line, ok := lines[key]; ok {
			return fmt.Sprintf("line %d: ", line)
		}
		i := strings.LastIndexByte(key, '.')
		key = key[:max(i, 0)]
	}
	return ""
}
