package biometrics

import (
	"errors"
	"fmt"
	"math"
)

// CohortMember is one account in a cohort. Owner is opaque, and equal for equal
// owners.
type CohortMember struct {
	Owner      string
	Descriptor Descriptor // the fused templates of the account
}

// Cohort is a sample of an installation's own people, by which distances are
// normalised: the descriptor net squeezes some groups of people together, and
// there a stranger is as near as elsewhere the person himself. Distances to the
// k nearest members tell how crowded the region of a face is.
//
// A cohort is immutable and safe for concurrent use. Which member was near leaves
// it by no way: all that does is a [Neighbourhood].
type Cohort struct {
	version string
	k       int
	bound   float64
	owners  []string
	values  []float32 // len(owners) rows of len(Descriptor)
}

// NewCohort returns a cohort of that name. k is how many neighbours count, at
// least 3, and bound the isolation beyond which a neighbourhood is too thin
// ([CheckCohort] learns it; infinite for none). A member without owner or with a
// value that is not finite, and fewer than k+1 members, are errors.
func NewCohort(version string, k int, bound float64, members []CohortMember) (*Cohort, error) {
	if version == "" {
		return nil, errors.New("face cohort without a version")
	}
	if k < third || len(members) <= k {
		return nil, fmt.Errorf("face cohort %s: %d members for %d neighbours", version, len(members), k)
	}
	if !(bound > 0) {
		return nil, fmt.Errorf("face cohort %s: bound %v is not a positive number", version, bound)
	}
	c := &Cohort{version: version, k: k, bound: bound, values: make([]float32, 0, len(members)*len(Descriptor{}))}
	for i, m := range members {
		if m.Owner == "" {
			return nil, fmt.Errorf("face cohort %s: member %d has no owner", version, i)
		}
		if !m.Descriptor.Finite() {
			return nil, fmt.Errorf("face cohort %s: member %d has a value that is not a finite number", version, i)
		}
		c.owners = append(c.owners, m.Owner)
		c.values = append(c.values, m.Descriptor[:]...)
	}
	return c, nil
}

// Version names the cohort; thresholds are bound to it.
func (c *Cohort) Version() string { return c.version }

// Size is the number of members.
func (c *Cohort) Size() int { return len(c.owners) }

// K is how many neighbours count.
func (c *Cohort) K() int { return c.k }

// Bound is the largest isolation that is not too thin.
func (c *Cohort) Bound() float64 { return c.bound }

// Neighbourhood is what lies around a descriptor in a cohort.
type Neighbourhood struct {
	Mean float64 // Euclidean distance to the k nearest, on average
	// Isolation tells how badly the cohort stands for this person; it has no
	// unit. It is the square of the mean distance to all members, times the
	// distance to the k-th nearest to the power of 1.5, over that to the third.
	//
	// People of a group that the cohort lacks are no farther from their k-th
	// neighbour than others: that distance alone tells nothing. They lie far
	// from the bulk, and where the cohort has some few of their group, the third
	// nearest is much nearer than the k-th. The third and not the first, so that
	// a twin or a second account makes nobody thin.
	Isolation float64
}

// third is the neighbour to whose distance that of the k-th is held.
const third = 3

// Neighbourhood looks around d, leaving out owner's own members. Where fewer than
// k others are left, and where d is not finite or absurdly far, all is NaN, which
// no comparison passes. The number of steps depends on owner alone.
func (c *Cohort) Neighbourhood(owner string, d Descriptor) Neighbourhood {
	nearest := make([]float32, c.k) // squares, ascending
	for i := range nearest {
		nearest[i] = float32(math.Inf(1))
	}
	all, others := 0.0, 0
	for i, o := range c.owners {
		if o == owner {
			continue
		}
		x := squared(&d, c.values[i*len(d):(i+1)*len(d)])
		all += math.Sqrt(float64(x))
		others++
		// One pass of a sorting network: no branch tells where x belongs.
		for j, y := range nearest {
			nearest[j], x = min(x, y), max(x, y)
		}
	}
	kth := math.Sqrt(float64(nearest[c.k-1]))
	if math.IsInf(kth, 1) {
		return Neighbourhood{Mean: math.NaN(), Isolation: math.NaN()} // an infinite divisor would make a score of 0
	}
	sum := 0.0
	for _, square := range nearest {
		sum += math.Sqrt(float64(square))
	}
	all /= float64(others)
	return Neighbourhood{
		Mean:      sum / float64(c.k),
		Isolation: all * all * math.Pow(kth, 1.5) / math.Sqrt(float64(nearest[third-1])),
	}
}

// squared is the squared distance in single floats, which here are exact to some
// 1e-6 and twice as quick.
func squared(d *Descriptor, row []float32) float32 {
	row = row[:len(d)]
	var a, b, c, e float32
	for i := 0; i < len(d); i += 4 {
		p, q, r, s := d[i]-row[i], d[i+1]-row[i+1], d[i+2]-row[i+2], d[i+3]-row[i+3]
		a += p * p
		b += q * q
		c += r * r
		e += s * s
	}
	return (a + b) + (c + e)
}
