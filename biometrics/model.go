package biometrics

import (
	"crypto/sha1" //nolint:gosec // git names blobs by SHA-1; see Identify
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
)

// The three files that go-face opens, by the names under which it opens them.
const (
	DescriptorFile = "dlib_face_recognition_resnet_model_v1.dat"
	LandmarksFile  = "shape_predictor_5_face_landmarks.dat"
	DetectorFile   = "mmod_human_face_detector.dat"
)

// Detectors that an engine can run.
const (
	DetectorHOG = "hog" // dlib's frontal detector, built into the library
	DetectorCNN = "cnn" // DetectorFile, if it is a trained one
)

// Names of descriptor nets that we know.
const (
	// ModelDlibV1 is Davis King's published net, as single floats.
	ModelDlibV1 = "dlib-v1"
	// ModelDlibV1Q8 is the same net, converted from the 8-bit weights of the npm
	// package @vladmandic/face-api 1.7.15. Its descriptors lie about 0.04 from
	// those of dlib-v1, and 0.14 to 0.22 % of decisions at 0.6 differ, so the two
	// are two models.
	ModelDlibV1Q8 = "dlib-v1-q8"
)

// Model is the identity of what turns pictures into descriptors.
type Model struct {
	Name             string `json:"name"`     // see Manifest.Name
	Detector         string `json:"detector"` // DetectorHOG or DetectorCNN
	DescriptorSHA256 string `json:"descriptor_sha256"`
	LandmarksSHA256  string `json:"landmarks_sha256"`
	DetectorSHA256   string `json:"detector_sha256"`
	// Landmarks is how many points the landmark model gives a face: 68 or 5.
	Landmarks int `json:"landmarks"`
}

// Key is what a template is stored with: templates compare with probes of equal
// Key alone. It covers the descriptor net and the landmarks by which faces are
// aligned; which detector found a face hardly moves its descriptor.
func (m Model) Key() string {
	sum := sha256.Sum256([]byte("sallyport face model\n" + m.DescriptorSHA256 + "\n" + m.LandmarksSHA256))
	return hex.EncodeToString(sum[:16])
}

// gitBlobs are the official files, for which git blob ids of the public
// repository davisking/dlib-models are the only digests known.
var gitBlobs = map[string]string{
	DescriptorFile: "ddb515897db3724ddeed593083d3f39818db1a54",
	LandmarksFile:  "67878ed3894d929c5e03bd1ad2d931cc6d745ee7",
	DetectorFile:   "f112a0a45dbda96080352c45f615d00ddd4f130c",
}

// descriptorNets names nets by the SHA-256 of their file.
var descriptorNets = map[string]string{
	// Measured: three conversions on differing thread counts gave these bytes.
	"cdb1d47b961fe310ef1f3aa2974c5f65d29c079346760f6b6785c7e405f7266a": ModelDlibV1Q8,
}

// FileID is the identity of a model file.
type FileID struct {
	SHA256 string // hex
	Blob   string // the id under which git stores these bytes, hex
}

// Identify reads a model file of size bytes to its end. The blob id, the SHA-1 of
// "blob", the length, a zero byte and the content, names a file that its author
// published years ago; it is no defence against somebody who makes collisions,
// and templates are bound to the SHA-256.
func Identify(r io.Reader, size int64) (FileID, error) {
	strong, blob := sha256.New(), sha1.New() //nolint:gosec // see above
	fmt.Fprintf(blob, "blob %d\x00", size)
	n, err := io.Copy(io.MultiWriter(strong, blob), r)
	if err != nil {
		return FileID{}, err
	}
	if n != size {
		return FileID{}, fmt.Errorf("file of %d bytes, expected %d", n, size)
	}
	return FileID{SHA256: hex.EncodeToString(strong.Sum(nil)), Blob: hex.EncodeToString(blob.Sum(nil))}, nil
}

// IdentifyFile is Identify of the file at path, which must be one and hold
// something.
func IdentifyFile(path string) (FileID, error) {
	f, err := os.Open(path)
	if err != nil {
		return FileID{}, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return FileID{}, err
	}
	if !info.Mode().IsRegular() || info.Size() == 0 {
		return FileID{}, fmt.Errorf("%s is empty or no file", path)
	}
	return Identify(f, info.Size())
}

// Official reports whether this is the official file of that name.
func (id FileID) Official(file string) bool {
	return gitBlobs[file] != "" && id.Blob == gitBlobs[file]
}

// ModelName names the descriptor net in a file: one of the names above, or
// "sha256:" and the hex digest of a net we do not know.
func (id FileID) ModelName() string {
	if id.Official(DescriptorFile) {
		return ModelDlibV1
	}
	if name := descriptorNets[id.SHA256]; name != "" {
		return name
	}
	return unnamed(id.SHA256)
}

// unnamed is what a net is called that nobody has given a name.
func unnamed(sum string) string { return "sha256:" + sum }
