package biometrics

// Frame is a picture that went through the image gate: a baseline RGB JPEG of
// our own making, upright, without metadata, its long side within the gate's
// limit. Only [Gate.Open] makes one, so native code never sees bytes that a
// client chose.
type Frame struct {
	jpeg          []byte
	width, height int
	sum           [32]byte
}

// JPEG returns the encoded picture. The caller must not change it.
func (f Frame) JPEG() []byte { return f.jpeg }

// Width is in pixels.
func (f Frame) Width() int { return f.width }

// Height is in pixels.
func (f Frame) Height() int { return f.height }

// Sum is the SHA-256 of JPEG. The encoder is deterministic, so frames with the
// same pixels have the same sum however their uploads were packed.
func (f Frame) Sum() [32]byte { return f.sum }

// IsZero reports that no gate made this frame.
func (f Frame) IsZero() bool { return f.jpeg == nil }

// String hides the picture from fmt and logs.
func (f Frame) String() string { return "[face frame]" }

// GoString hides the picture from %#v.
func (f Frame) GoString() string { return "[face frame]" }

// EqualFrames reports whether two of the frames are the same picture, and the
// index of the later one.
func EqualFrames(frames []Frame) (later int, equal bool) {
	seen := make(map[[32]byte]bool, len(frames))
	for i, f := range frames {
		if seen[f.sum] {
			return i, true
		}
		seen[f.sum] = true
	}
	return 0, false
}
