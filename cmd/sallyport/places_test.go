package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/biometrics/facetest"
)

func TestDoctorLooksAtTheDatabaseOfPlaces(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]finding{
		"": {State: fine, Text: "are not named"},
		filepath.Join(facetest.Dir(t), "geo", "GeoIP2-City-Test.mmdb"):    {State: fine, Text: "made on 20"},
		filepath.Join(facetest.Dir(t), "geo", "GeoLite2-ASN-Test.mmdb"):   {State: broken, Text: "geo.database: "},
		filepath.Join(facetest.Dir(t), "geo", "there is no such file.db"): {State: broken, Text: "geo.database: "},
	} {
		config, problems := load(t, "", map[string]string{"SALLYPORT_GEO_DATABASE": path, "SALLYPORT_FACE_ENABLED": "false", "SALLYPORT_DATABASE_URL": nowhere})
		found := examine(t.Context(), config, problems).one(t, "places")
		if found.State != want.State || !strings.Contains(found.Text, want.Text) {
			t.Errorf("%q: %+v", path, found)
		}
	}
}
