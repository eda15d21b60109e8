package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	named   = regexp.MustCompile("`((?:Test|Fuzz)[A-Z][A-Za-z0-9_]*)`")
	defined = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Z][A-Za-z0-9_]*)\(`)
)

// Every test that the documents name as proof exists, and every attack test is in
// docs/attacks.md.
func TestDocumentsNameTestsThatExist(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{}
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == ".run" || entry.Name() == ".git") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		source, err := os.ReadFile(path)
		for _, found := range defined.FindAllSubmatch(source, -1) {
			tests[string(found[1])] = true
		}
		return err
	})
	if err != nil || len(tests) < 300 {
		t.Fatalf("%d tests found, %v", len(tests), err)
	}
	indexed := map[string]bool{}
	for _, name := range []string{"docs/attacks.md", "docs/conformance.md", "docs/limits.md", "ARCHITECTURE.md"} {
		text, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range named.FindAllSubmatch(text, -1) {
			if !tests[string(found[1])] {
				t.Errorf("%s names %s, which is no test", name, found[1])
			}
			indexed[name+" "+string(found[1])] = true
		}
	}
	for test := range tests {
		if strings.HasPrefix(test, "TestAttack") && !indexed["docs/attacks.md "+test] {
			t.Errorf("docs/attacks.md leaves %s out", test)
		}
	}
}
