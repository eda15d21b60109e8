package evaluate

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/biometrics"
)

func line(id string, value float32) string {
	d := biometrics.Descriptor{value}
	raw, _ := d.MarshalBinary()
	return fmt.Sprintf("{\"id\": %q, \"descriptor\": %q}\n", id, base64.StdEncoding.EncodeToString(raw))
}

func TestReadDescriptors(t *testing.T) {
	t.Parallel()
	got, err := ReadDescriptors("faces.jsonl", strings.NewReader(line("b", 1)+"\n"+line("a", 2)+line("b", 3)))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].ID != "b" || len(got[0].Photos) != 2 || got[0].Photos[1][0][0] != 3 || got[1].Photos[0][0][0] != 2 {
		t.Error("people or their order got lost")
	}
}

func TestReadErrorsNameFileAndLine(t *testing.T) {
	t.Parallel()
	for want, document := range map[string]string{
		"f:2: not an object":                    line("a", 1) + "what\n",
		"f:1: no id":                            line("", 1),
		"f:3: face descriptor of 3 bytes":       line("a", 1) + "\n{\"id\":\"a\",\"descriptor\":\"AAAA\"}\n",
		"f:2: line is longer than 65536 bytes":  line("a", 1) + strings.Repeat(" ", maxLine+1),
		"f: holds no descriptors":               "\n",
		"f:1: not an object of id and base64 d": "{\"id\":\"a\",\"descriptor\":\"!\"}",
	} {
		_, err := ReadDescriptors("f", strings.NewReader(document))
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	for want, document := range map[string]string{
		"g:2: not person,group":           "a,b\nc\n",
		"g:3: a is in the groups b and c": "# who\na,b\na,c\n",
		"g:1: not person,group":/* nobody */ "  ,x\n",
	} {
		_, err := ReadGroups("g", strings.NewReader(document))
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	groups, err := ReadGroups("g", strings.NewReader("# people\n a , x\nb,y\n"))
	if err != nil || groups["a"] != "x" || groups["b"] != "y" {
		t.Errorf("%v %v", groups, err)
	}
	if _, err := Merge([]Subject{{ID: "a"}}, []Subject{{ID: "a"}}); err == nil {
		t.Error("one person in two inputs")
	}
}

// Whatever is read is either refused with the file's name or gives people who all
// have an id and finite descriptors.
func FuzzReadDescriptors(f *testing.F) {
	f.Add([]byte(line("a", 1) + line("b", 2)))
	f.Add([]byte("{\"id\":1}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := ReadDescriptors("name", strings.NewReader(string(data)))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "name:") {
				t.Errorf("error without the file's name: %v", err)
			}
			return
		}
		seen := make(map[string]bool)
		for _, s := range got {
			if s.ID == "" || seen[s.ID] || len(s.Photos) == 0 {
				t.Errorf("person %q with %d photos", s.ID, len(s.Photos))
			}
			seen[s.ID] = true
			for _, photo := range s.Photos {
				if len(photo) != 1 || !photo[0].Finite() {
					t.Error("a photo without a finite descriptor")
				}
			}
		}
	})
}
