package biometrics

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math"
)

// DescriptorBytes is the length of a descriptor as [Descriptor.MarshalBinary]
// writes it: 128 little-endian IEEE 754 singles.
const DescriptorBytes = 128 * 4

// ErrNoDescriptors is returned where a mean or a comparison was asked for over
// nothing at all.
var ErrNoDescriptors = errors.New("no descriptors to compare")

// Descriptor is the face embedding of dlib's ResNet: 128 dimensions, of length
// about 1.4. It is biometric data: it prints as a placeholder, so that no log line
// or error text can carry one by accident.
type Descriptor [128]float32

const redacted = "[face descriptor]"

// String hides the values from fmt.
func (Descriptor) String() string { return redacted }

// GoString hides the values from %#v.
func (Descriptor) GoString() string { return redacted }

// Format hides the values from every other verb of fmt.
func (Descriptor) Format(s fmt.State, _ rune) { fmt.Fprint(s, redacted) }

// LogValue hides the values from log/slog.
func (Descriptor) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON refuses: descriptors leave the process sealed, as MarshalBinary
// writes them, or not at all.
func (Descriptor) MarshalJSON() ([]byte, error) {
	return nil, errors.New("a face descriptor has no JSON form")
}

// MarshalBinary returns the 512 bytes that the template store seals.
func (d Descriptor) MarshalBinary() ([]byte, error) {
	out := make([]byte, 0, DescriptorBytes)
	for _, v := range d {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
	}
	return out, nil
}

// UnmarshalBinary reads what MarshalBinary wrote. It refuses any other length
// and any value that is not a finite number.
func (d *Descriptor) UnmarshalBinary(data []byte) error {
	if len(data) != DescriptorBytes {
		return fmt.Errorf("face descriptor of %d bytes, want %d", len(data), DescriptorBytes)
	}
	var out Descriptor
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	if !out.Finite() {
		return errors.New("face descriptor with a value that is not a finite number")
	}
	*d = out
	return nil
}

// Finite reports whether every value is a number and none is infinite.
func (d Descriptor) Finite() bool {
	for _, v := range d {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return false
		}
	}
	return true
}

// Distance returns the Euclidean distance of two descriptors. It is not
// squared, unlike go-face's ClassifyThreshold and SquaredEuclideanDistance,
// whose 0.36 is 0.6 here. A descriptor with a NaN gives NaN, so compare by
// d <= threshold, which is then false.
func Distance(a, b Descriptor) float64 {
	sum := 0.0
	for i := range a {
		diff := float64(a[i]) - float64(b[i])
		sum += diff * diff
	}
	return math.Sqrt(sum)
}

// Mean returns the arithmetic mean of descriptors, value by value. The mean of
// several is shorter than each of them and lies nearer to everything, which is
// why a threshold belongs to its fusion rule.
func Mean(ds []Descriptor) (Descriptor, error) {
	if len(ds) == 0 {
		return Descriptor{}, ErrNoDescriptors
	}
	var sums [len(Descriptor{})]float64
	for _, d := range ds {
		for i, v := range d {
			sums[i] += float64(v)
		}
	}
	var mean Descriptor
	for i, sum := range sums {
		mean[i] = float32(sum / float64(len(ds)))
	}
	return mean, nil
}
