package biometrics

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// ModelTaguchiV1 is the net of davisking/dlib-models that was trained half on
// Japanese and other Asian faces. Nobody here has measured it.
const ModelTaguchiV1 = "taguchi-v1"

// Net is a descriptor net, and what a policy that names it need not say.
type Net struct {
	Name string
	// Threshold is the Euclidean distance for means of three; 0 where nobody
	// measured one, and the policy must.
	Threshold float64
	// CohortSize and Neighbours are how many members a cohort has at most, and
	// how many of them count.
	CohortSize, Neighbours int
	// Packed is the file that the net is published as, a bzip2 archive, and
	// PackedBlob the git blob id of that; empty for nets that come otherwise.
	Packed, PackedBlob string
}

var nets = []Net{
	{Name: ModelDlibV1, Threshold: 0.45, CohortSize: 2000, Neighbours: DefaultNeighbours},
	{Name: ModelDlibV1Q8, Threshold: 0.45, CohortSize: 2000, Neighbours: DefaultNeighbours},
	{
		Name: ModelTaguchiV1, CohortSize: 2000, Neighbours: DefaultNeighbours,
		Packed: "taguchi_face_recognition_resnet_model_v1.dat.bz2", PackedBlob: "0cf5fe1be0cd76ed4825477b2757049d67425766",
	},
}

// FindNet finds a net by the name that a policy gives it. Any other than those we
// know goes by sha256: and the 64 hex digits of its file, and has no threshold.
func FindNet(name string) (Net, error) {
	for _, n := range nets {
		if n.Name == name {
			return n, nil
		}
	}
	sum, ok := strings.CutPrefix(name, "sha256:")
	if raw, err := hex.DecodeString(sum); !ok || err != nil || len(raw) != 32 || strings.ToLower(sum) != sum {
		return Net{}, fmt.Errorf("no face net is called %q: known are %s, %s, %s, and sha256: with the digest of a file",
			name, ModelDlibV1, ModelDlibV1Q8, ModelTaguchiV1)
	}
	return Net{Name: name, CohortSize: 2000, Neighbours: DefaultNeighbours}, nil
}
