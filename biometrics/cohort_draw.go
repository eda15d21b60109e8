package biometrics

import "math/rand/v2"

// Candidate is an account that may become a member of a cohort.
type Candidate struct {
	Owner      string     // opaque, equal for equal owners
	Descriptor Descriptor // the fused templates of the account
	Network    string     // opaque: from where its templates were enrolled
	Day        string     // opaque: when
}

// CohortRules say who of the candidates becomes a member.
type CohortRules struct {
	Size int // members at most
	// Duplicate is the Euclidean distance up to which two candidates count as
	// one face, of which one is kept.
	Duplicate float64
	// PerNetworkDay caps the members that were enrolled from one network on one
	// day.
	PerNetworkDay int
	// MinUsable is how many members a cohort needs before a policy may choose
	// the normalised metric.
	MinUsable int
}

// DefaultCohortRules are for an installation of some thousand people.
//
// Duplicate is a compromise: about half of the captures that one person makes on
// different occasions lie nearer than 0.25, and some 1 in 100 pairs of people of a
// homogeneous group do too, of whom one is then left out.
func DefaultCohortRules() CohortRules {
	return CohortRules{Size: 2000, Duplicate: 0.25, PerNetworkDay: 10, MinUsable: 200}
}

// DefaultNeighbours is the k of a cohort that nobody chose.
const DefaultNeighbours = 10

// DrawReport counts what became of the candidates.
type DrawReport struct {
	Candidates int // handed in
	Unusable   int // without an owner, or with a value that is not a finite number
	Duplicates int // a face that was there already
	Capped     int // beyond the cap of their network and day
	Unneeded   int // beyond Size
	Members    int
	Usable     bool // at least MinUsable members
}

// DrawCohort draws members in random order: a candidate that is a near-duplicate
// of a member, or one too many of its network and day, is passed over. Owners
// with several candidates count as duplicates of themselves.
//
// Both rules are there against whoever makes accounts to bend the cohort: many
// accounts of one face crowd a region, so that the people in it are refused, or
// push everybody else out of the sample.
func DrawCohort(candidates []Candidate, rules CohortRules, r *rand.Rand) ([]CohortMember, DrawReport) {
	report := DrawReport{Candidates: len(candidates)}
	var members []CohortMember
	owners := make(map[string]bool)
	type place struct{ network, day string }
	enrolled := make(map[place]int)
	for _, i := range r.Perm(len(candidates)) {
		c := candidates[i]
		at := place{c.Network, c.Day}
		switch {
		case c.Owner == "" || !c.Descriptor.Finite():
			report.Unusable++
		case len(members) >= rules.Size:
			report.Unneeded++
		case owners[c.Owner] || hasNear(members, c.Descriptor, rules.Duplicate):
			report.Duplicates++
		case enrolled[at] >= rules.PerNetworkDay:
			report.Capped++
		default:
			owners[c.Owner] = true
			enrolled[at]++
			members = append(members, CohortMember{Owner: c.Owner, Descriptor: c.Descriptor})
		}
	}
	report.Members = len(members)
	report.Usable = len(members) >= rules.MinUsable
	return members, report
}

func hasNear(members []CohortMember, d Descriptor, limit float64) bool {
	for i := range members {
		if float64(squared(&d, members[i].Descriptor[:])) <= limit*limit {
			return true
		}
	}
	return false
}
