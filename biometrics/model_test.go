package biometrics

import (
	"strings"
	"testing"
)

func TestIdentify(t *testing.T) {
	t.Parallel()
	// As `git hash-object` and `sha256sum` have it.
	id, err := Identify(strings.NewReader("hello\n"), 6)
	want := FileID{SHA256: "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03", Blob: "ce013625030ba8dba906f756967f9e9ca394464a"}
	if err != nil || id != want {
		t.Errorf("got %+v, %v", id, err)
	}
	for _, size := range []int64{5, 7} {
		_, err := Identify(strings.NewReader("hello\n"), size)
		if err == nil {
			t.Errorf("6 bytes passed for %d", size)
		}
	}
}

func TestModelName(t *testing.T) {
	t.Parallel()
	for want, id := range map[string]FileID{
		ModelDlibV1:    {SHA256: "aa", Blob: gitBlobs[DescriptorFile]},
		ModelDlibV1Q8:  {SHA256: "cdb1d47b961fe310ef1f3aa2974c5f65d29c079346760f6b6785c7e405f7266a", Blob: "bb"},
		"sha256:cc":    {SHA256: "cc", Blob: gitBlobs[LandmarksFile]},
		"sha256:dddd0": {SHA256: "dddd0"},
	} {
		if got := id.ModelName(); got != want {
			t.Errorf("%+v is %q, want %q", id, got, want)
		}
	}
	if (FileID{Blob: ""}).Official("unknown.dat") {
		t.Error("an unknown file is official")
	}
}

func TestModelKey(t *testing.T) {
	t.Parallel()
	base := Model{Name: "a", Detector: DetectorHOG, DescriptorSHA256: "1", LandmarksSHA256: "2", DetectorSHA256: "3"}
	same, other := base, base
	same.Detector, same.DetectorSHA256 = DetectorCNN, "4"
	other.LandmarksSHA256 = "5"
	if base.Key() != same.Key() {
		t.Error("another detector makes another key")
	}
	if base.Key() == other.Key() {
		t.Error("other landmarks make the same key")
	}
}

func TestManifest(t *testing.T) {
	t.Parallel()
	text := `{"model":"dlib-v1","files":[
		{"file":"` + DescriptorFile + `","sha256":"1","from":"a","trained":true},
		{"file":"` + LandmarksFile + `","sha256":"2","from":"b","trained":true,"licence":"not for sale"},
		{"file":"` + DetectorFile + `","sha256":"3","from":"c","trained":false}]}`
	m, err := ParseManifest([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if notes := m.Notes(); len(notes) != 1 || notes[0] != LandmarksFile+": not for sale" {
		t.Errorf("notes %q", notes)
	}
	for detector, want := range map[string]string{DetectorHOG: "", DetectorCNN: "never trained", "eye": "neither"} {
		err := m.CheckDetector(detector)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("detector %s: %v", detector, err)
		}
	}
	for name, bad := range map[string]string{
		"nothing": "", "no files": "{}", "unknown key": `{"surprise":""}`, "one file": strings.Replace(text, DetectorFile, "x", 1),
	} {
		_, err := ParseManifest([]byte(bad))
		if err == nil {
			t.Errorf("%s: read", name)
		}
	}
}
