package biometrics

import "fmt"

// ShapeHeader is how many bytes of a shape predictor ShapePoints reads.
const ShapeHeader = 8

// ShapePoints tells from the first bytes of a dlib shape predictor how many
// landmarks it gives. The file begins with its version and with the mean shape, a
// column of x and y: numbers are a byte with sign (0x80) and length, then that
// many little-endian bytes, and matrix sizes are negative (dlib serialize.h,
// matrix.h). The two kinds there are have 68 and 5 points.
func ShapePoints(header []byte) (int, error) {
	version, rest, err := dlibInt(header)
	if err != nil || version != 1 {
		return 0, fmt.Errorf("no shape predictor of version 1")
	}
	rows, _, err := dlibInt(rest)
	if err != nil {
		return 0, err
	}
	switch -rows {
	case 2 * 68:
		return 68, nil
	case 2 * 5:
		return 5, nil
	}
	return 0, fmt.Errorf("shape predictor of %d rows, neither 68 nor 5 points", -rows)
}

func dlibInt(data []byte) (n int, rest []byte, err error) {
	if len(data) == 0 {
		return 0, nil, fmt.Errorf("number ends too early")
	}
	length := int(data[0] & 0x0f)
	if length < 1 || length > 4 || len(data) <= length {
		return 0, nil, fmt.Errorf("number of %d bytes", length)
	}
	for i := length; i > 0; i-- {
		n = n<<8 | int(data[i])
	}
	if data[0]&0x80 != 0 {
		n = -n
	}
	return n, data[1+length:], nil
}
