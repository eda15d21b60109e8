package place

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/biometrics/facetest"
)

func testData(t *testing.T, name string) string {
	t.Helper()
	return filepath.Join(facetest.Dir(t), "geo", name)
}

func TestPlacesInWords(t *testing.T) {
	t.Parallel()
	d, err := Open(testData(t, "GeoIP2-City-Test.mmdb"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ ip, language, want string }{
		{"89.160.20.112", "en", "Linköping, Sweden"},
		{"89.160.20.112", "de", "Linköping, Schweden"},
		{"89.160.20.112", "xx", "Linköping, Sweden"},
		{"::ffff:81.2.69.142", "en", "London, United Kingdom"},
		{"2001:218::1", "en", "Japan"},
		{"192.0.2.1", "en", ""},
		{"10.1.2.3", "en", ""},
		{"127.0.0.1", "en", ""},
		{"::1", "en", ""},
		{"fd00::1", "en", ""},
		{"fe80::1%eth0", "en", ""},
		{"elsewhere", "en", ""},
		{"", "en", ""},
	} {
		if got := d.Place(c.ip, c.language); got != c.want {
			t.Errorf("%q in %q: got %q, want %q", c.ip, c.language, got, c.want)
		}
	}
	var none *Database
	if got := none.Place("89.160.20.112", "en"); got != "" {
		t.Errorf("without a database: %q", got)
	}
}

func TestWhatIsNoDatabaseOfCitiesIsRefused(t *testing.T) {
	t.Parallel()
	text := filepath.Join(t.TempDir(), "text.mmdb")
	if err := os.WriteFile(text, []byte("no database"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		testData(t, "GeoLite2-ASN-Test.mmdb"):    "not of cities",
		text:                                     "is no database of places",
		filepath.Join(t.TempDir(), "there.mmdb"): "no such file",
	} {
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", path, err, want)
		}
	}
}

// put replaces a file as updaters do: by renaming another one over it.
func put(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func TestAnotherFileIsTakenUpAndABadOneIsNot(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(testData(t, "GeoIP2-City-Test.mmdb"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "city.mmdb")
	put(t, path, data)
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	first := d.read.Load()
	if err := d.reload(); err != nil || d.read.Load() != first {
		t.Errorf("the same file was read again, %v", err)
	}
	for name, bad := range map[string][]byte{"cut short": data[:len(data)/2], "empty": nil} {
		put(t, path, bad)
		if err := d.reload(); err == nil || d.read.Load() != first || d.Place("89.160.20.112", English) != "Linköping, Sweden" {
			t.Errorf("%s: the database before it is gone, %v", name, err)
		}
	}
	put(t, path, data)
	if err := d.reload(); err != nil || d.read.Load() == first {
		t.Errorf("another file was not taken up, %v", err)
	}
}
