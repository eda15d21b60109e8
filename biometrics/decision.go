package biometrics

// ConsistencyLimit is the distance within which two frames of one capture count
// as the same person. It is a check that nobody swapped places, not the
// decision who it is. On LFW photos taken apart, single against single, 0.6 has
// an FMR of 1.2 % and an FNMR of 1.5 %; frames of one capture lie closer.
const ConsistencyLimit = 0.6

// Decision is the outcome of one comparison, and all that is told of it.
type Decision struct {
	Accepted bool
}

// String tells the outcome.
func (d Decision) String() string {
	if d.Accepted {
		return "accepted"
	}
	return "refused"
}

// SamePerson reports whether every two of the descriptors lie within limit of
// each other. One descriptor is the same person as itself; none is nobody.
func SamePerson(ds []Descriptor, limit float64) bool {
	for i := range ds {
		if !ds[i].Finite() {
			return false
		}
		for j := range i {
			if !(Distance(ds[i], ds[j]) <= limit) {
				return false
			}
		}
	}
	return len(ds) > 0
}
