package biometrics

import "testing"

func TestShapePoints(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		header []byte
		want   int
	}{
		{[]byte{1, 1, 0x81, 136, 0x81, 1, 0, 0}, 68},
		{[]byte{1, 1, 0x81, 10, 0x81, 1, 0, 0}, 5},
		{[]byte{1, 1, 0x81, 12, 0x81, 1, 0, 0}, 0},
		{[]byte{1, 2, 0x81, 136, 0x81, 1, 0, 0}, 0},
		{[]byte{1, 1, 1, 136, 0x81, 1, 0, 0}, 0},
		{[]byte{1, 1, 0x88, 136}, 0},
		{nil, 0},
	} {
		got, err := ShapePoints(test.header)
		if got != test.want || (err == nil) != (test.want > 0) {
			t.Errorf("%v: got %d, %v, want %d", test.header, got, err, test.want)
		}
	}
}

func FuzzShapePoints(f *testing.F) {
	f.Add([]byte{1, 1, 0x81, 136, 0x81, 1, 0, 0})
	f.Fuzz(func(t *testing.T, header []byte) {
		got, err := ShapePoints(header)
		if (got == 68 || got == 5) != (err == nil) {
			t.Errorf("%d points, %v", got, err)
		}
	})
}
