package biometrics

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// ManifestFile is the name of the manifest beside the model files.
const ManifestFile = "MANIFEST.json"

// Manifest says what the files of a model directory are and where they came from.
type Manifest struct {
	Model string          `json:"model"` // of the descriptor net, see Manifest.Name
	Files []ManifestEntry `json:"files"`
}

// ManifestEntry is one file of a [Manifest].
type ManifestEntry struct {
	File    string `json:"file"`
	SHA256  string `json:"sha256"`
	From    string `json:"from"`
	Trained bool   `json:"trained"` // false for a net that is there only to be loaded
	// Licence is a condition that binds whoever runs the file; empty when there
	// is none to mention.
	Licence string `json:"licence,omitempty"`
}

// ParseManifest reads a manifest.
func ParseManifest(data []byte) (Manifest, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var m Manifest
	err := decoder.Decode(&m)
	if err != nil {
		return Manifest{}, fmt.Errorf("%s: %v", ManifestFile, err)
	}
	for _, name := range ModelFiles() {
		e := m.Entry(name)
		if e.SHA256 == "" {
			return Manifest{}, fmt.Errorf("%s: no sha256 of %s", ManifestFile, name)
		}
	}
	return m, nil
}

// ModelFiles are the names of the files that a model directory needs.
func ModelFiles() []string { return []string{DescriptorFile, LandmarksFile, DetectorFile} }

// Entry returns what is known of a file; the zero value if nothing is.
func (m Manifest) Entry(file string) ManifestEntry {
	for _, e := range m.Files {
		if e.File == file {
			return e
		}
	}
	return ManifestEntry{}
}

// Name names the descriptor net in a file: by its bytes where they tell
// ([FileID.ModelName]), else by the manifest, if it is of these bytes.
func (m Manifest) Name(id FileID) string {
	name := id.ModelName()
	if name == unnamed(id.SHA256) && m.Model != "" && m.Entry(DescriptorFile).SHA256 == id.SHA256 {
		return m.Model
	}
	return name
}

// Identity is the model that an engine over these files runs, but for the number
// of landmarks, which only the file itself tells.
func (m Manifest) Identity(detector string) Model {
	return Model{
		Name: m.Model, Detector: detector, DescriptorSHA256: m.Entry(DescriptorFile).SHA256,
		LandmarksSHA256: m.Entry(LandmarksFile).SHA256, DetectorSHA256: m.Entry(DetectorFile).SHA256,
	}
}

// CheckDetector reports why a detector can't be run on these files.
func (m Manifest) CheckDetector(detector string) error {
	switch detector {
	case DetectorHOG:
		return nil
	case DetectorCNN:
		if !m.Entry(DetectorFile).Trained {
			return errors.New("face detector cnn: the installed " + DetectorFile + " was never trained; install the official one or use hog")
		}
		return nil
	}
	return fmt.Errorf("face detector %q is neither hog nor cnn", detector)
}

// Notes are one line for each condition that whoever runs the files has to know,
// for start-up logs.
func (m Manifest) Notes() []string {
	var notes []string
	for _, e := range m.Files {
		if e.Licence != "" {
			notes = append(notes, e.File+": "+e.Licence)
		}
	}
	return notes
}
