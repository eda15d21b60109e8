package biometrics

import "image"

// plane is one component of a picture: width by height bytes, rows stride apart.
type plane struct {
	pix           []uint8
	stride        int
	width, height int
}

// resample writes the part of src within r, scaled to w by h, to dst. Each pixel is
// the mean over the area that it covers, so that scaling down does not alias. What
// lies outside of src is as its edge.
func resample(dst []uint8, w, h int, src plane, r image.Rectangle) {
	columns := spans(r.Min.X, r.Dx(), w, src.width)
	rows := spans(r.Min.Y, r.Dy(), h, src.height)
	sums := make([]float32, w)
	for y, row := range rows {
		clear(sums)
		for sy := row.from; sy < row.to; sy++ {
			line, weight := src.pix[sy*src.stride:][:src.width], row.weight(sy)
			for x, c := range columns {
				sum := c.first*float32(line[c.from]) + c.last*float32(line[c.to-1])
				for i := c.from + 1; i < c.to-1; i++ {
					sum += c.inner * float32(line[i])
				}
				sums[x] += weight * sum
			}
		}
		for x, sum := range sums {
			dst[y*w+x] = uint8(sum + 0.5)
		}
	}
}

// span is what one scaled pixel covers along one axis: the pixels in [from, to)
// and their shares.
type span struct {
	from, to           int
	first, inner, last float32 // add up to 1 over the span
}

func (s span) weight(i int) float32 {
	switch i {
	case s.from:
		return s.first
	case s.to - 1:
		return s.last
	}
	return s.inner
}

// spans cuts a stretch of pixels into n equal ones.
func spans(start, length, n, limit int) []span {
	out := make([]span, n)
	step := float64(length) / float64(n)
	for i := range out {
		a := min(max(float64(start)+float64(i)*step, 0), float64(limit-1))
		b := min(max(float64(start)+float64(i+1)*step, a+1e-3), float64(limit))
		s := span{from: int(a), to: int(b)}
		if float64(s.to) < b {
			s.to++
		}
		covered := b - a
		s.inner = float32(1 / covered)
		if s.to-s.from == 1 {
			s.first, s.last = 1, 0
		} else {
			s.first = float32((float64(s.from+1) - a) / covered)
			s.last = float32((b - float64(s.to-1)) / covered)
		}
		out[i] = s
	}
	return out
}
