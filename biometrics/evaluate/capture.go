package evaluate

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/sallyport/sallyport/biometrics"
)

// capture is what one enrolment or one sign-in gives, fused.
type capture struct {
	subject     int
	first, last int // photos [first, last) of the subject went into it
	fused       biometrics.Descriptor
	around      biometrics.Neighbourhood
}

// FrameSpread is how far, in Euclidean distance, two modelled frames of one
// capture lie apart. Frames that the engine saw of one photo with small crops,
// turns, light and noise do so: docs/face-accuracy.md.
const FrameSpread = 0.075

// framer models frames of one capture where all there is is one descriptor of a
// photo: they move from it in the directions in which photos of one person differ,
// but much less far. It is a model. What it can't show is whether real frames err
// in other directions.
type framer struct {
	r          *rand.Rand
	directions []biometrics.Descriptor // of length 1
}

func newFramer(subjects []Subject, r *rand.Rand) *framer {
	f := &framer{r: r}
	for _, s := range subjects {
		for i := 1; i < len(s.Photos); i++ {
			a, b := s.Photos[i-1][0], s.Photos[i][0]
			length := biometrics.Distance(a, b)
			if length == 0 {
				continue
			}
			for j := range a {
				a[j] = float32((float64(b[j]) - float64(a[j])) / length)
			}
			f.directions = append(f.directions, a)
		}
	}
	return f
}

// frames are n of one photo: those that it has, else modelled ones.
func (f *framer) frames(photo []biometrics.Descriptor, n int) []biometrics.Descriptor {
	if len(photo) >= n {
		return photo[:n]
	}
	out := make([]biometrics.Descriptor, n)
	for i := range out {
		out[i] = photo[0]
		if len(f.directions) == 0 {
			continue
		}
		// Two steps in directions at random are the square root of 2 apart.
		direction := f.directions[f.r.IntN(len(f.directions))]
		for j := range direction {
			out[i][j] += direction[j] * FrameSpread / math.Sqrt2
		}
	}
	return out
}

// captures makes as many captures of n photos, or in ModeCorrelated of n frames
// of one photo, as a subject has photos for. No photo is in two.
func (o Options) captures(index int, s Subject, n int, f *framer) ([]capture, error) {
	var out []capture
	photos := n
	if o.Mode == ModeCorrelated {
		photos = 1
	}
	for first := 0; first+photos <= len(s.Photos); first += photos {
		c := capture{subject: index, first: first, last: first + photos}
		var ds []biometrics.Descriptor
		for _, photo := range s.Photos[c.first:c.last] {
			if o.Mode == ModeCorrelated {
				ds = f.frames(photo, n)
			} else {
				ds = append(ds, photo[0])
			}
		}
		var err error
		c.fused, err = o.fuse(ds)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.ID, err)
		}
		out = append(out, c)
	}
	return out, nil
}

// overlaps tells whether two captures share a photo, which no template and probe
// of one comparison may.
func (c capture) overlaps(d capture) bool {
	return c.subject == d.subject && c.first < d.last && d.first < c.last
}
