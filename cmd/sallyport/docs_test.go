package main

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/alecthomas/kong"
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

var (
	command   = regexp.MustCompile(`(?m)^(?:// ?\t|//\t)?sallyport ((?:[^\\\n]|\\\n)+)`)
	goesOn    = regexp.MustCompile(`\\\n(?://)?`)
	words     = regexp.MustCompile(`"[^"]*"|[^\s"]+`)
	described = regexp.MustCompile("`(--[a-z][a-z-]+)[^`]*`")
)

// Every command that the documents show is one, with flags that it has; and every flag of
// a client that they speak of.
func TestDocumentsShowCommandsThatExist(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../docs/*.md")
	samples, errSamples := filepath.Glob("../../docs/samples/*/*.go")
	if err != nil || errSamples != nil {
		t.Fatal(err, errSamples)
	}
	tried := 0
	for _, name := range append(append(files, samples...), "../../README.md") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range command.FindAllStringSubmatch(string(text), -1) {
			line := goesOn.ReplaceAllString(found[1], " ")
			if before, _, ok := strings.Cut(line, " # "); ok {
				line = before
			}
			line, _, _ = strings.Cut(line, " > ")
			args := words.FindAllString(line, -1)
			for i, arg := range args {
				args[i] = strings.Trim(arg, `"`)
			}
			parser, err := kong.New(&cli{}, kong.Name("sallyport"), kong.Writers(io.Discard, io.Discard))
			if err != nil {
				t.Fatal(err)
			}
			// What it would do is not tried: files that it names aren't here.
			if _, err := parser.Parse(args); err != nil && !strings.Contains(err.Error(), "no such file") {
				t.Errorf("%s: sallyport %s: %v", filepath.Base(name), strings.Join(args, " "), err)
			}
			tried++
		}
	}
	if tried < 12 {
		t.Errorf("only %d commands found", tried)
	}
	create := reflect.TypeFor[clientCreateCommand]()
	flags := map[string]bool{}
	for i := range create.NumField() {
		var flag strings.Builder
		for j, r := range create.Field(i).Name {
			if before := create.Field(i).Name; j > 0 && unicode.IsUpper(r) && (unicode.IsLower(rune(before[j-1])) || j+1 < len(before) && unicode.IsLower(rune(before[j+1]))) {
				flag.WriteByte('-')
			}
			flag.WriteRune(unicode.ToLower(r))
		}
		flags["--"+flag.String()] = true
	}
	for _, name := range []string{"integrate.md", "native.md", "transactions.md", "tutorial.md"} {
		text, err := os.ReadFile("../../docs/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range described.FindAllStringSubmatch(string(text), -1) {
			if !flags[found[1]] && !strings.HasPrefix(found[1], "--oidc-") && !strings.HasPrefix(found[1], "--authentication-") { // of Kubernetes
				t.Errorf("%s speaks of %s, which `client create` doesn't have", name, found[1])
			}
		}
	}
}
