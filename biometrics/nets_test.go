package biometrics

import (
	"strings"
	"testing"
)

func TestNetsGoByNameOrDigest(t *testing.T) {
	t.Parallel()
	digest := "sha256:" + strings.Repeat("0a", 32)
	for name, measured := range map[string]bool{ModelDlibV1: true, ModelDlibV1Q8: true, ModelTaguchiV1: false, digest: false} {
		net, err := FindNet(name)
		if err != nil || net.Name != name || (net.Threshold > 0) != measured || net.Neighbours < third || net.CohortSize <= net.Neighbours {
			t.Errorf("%s: %+v, %v", name, net, err)
		}
	}
	for _, name := range []string{"", "dlib", "sha256:", digest + "0a", digest[:len(digest)-2], strings.ToUpper(digest), "sha256:" + strings.Repeat("0A", 32), strings.Repeat("0a", 32)} {
		if net, err := FindNet(name); err == nil {
			t.Errorf("%q is taken for %+v", name, net)
		}
	}
}

// A name that a manifest gives is believed for bytes that nobody else names.
func TestAManifestNamesANetThatItsBytesDoNot(t *testing.T) {
	t.Parallel()
	q8 := "cdb1d47b961fe310ef1f3aa2974c5f65d29c079346760f6b6785c7e405f7266a"
	other := strings.Repeat("0a", 32)
	named := func(sum, name string) Manifest {
		return Manifest{Model: name, Files: []ManifestEntry{{File: DescriptorFile, SHA256: sum}}}
	}
	for _, c := range []struct {
		manifest Manifest
		sum      string
		want     string
	}{
		{named(other, ModelTaguchiV1), other, ModelTaguchiV1},
		{named(q8, ModelTaguchiV1), other, "sha256:" + other},
		{named(q8, ModelTaguchiV1), q8, ModelDlibV1Q8},
		{named(other, ""), other, "sha256:" + other},
		{Manifest{}, other, "sha256:" + other},
	} {
		if got := c.manifest.Name(FileID{SHA256: c.sum}); got != c.want {
			t.Errorf("manifest %+v calls %s %s, want %s", c.manifest, c.sum[:4], got, c.want)
		}
	}
}
