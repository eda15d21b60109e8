package biometrics

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestDrawCohort(t *testing.T) {
	t.Parallel()
	rules := CohortRules{Size: 100, Duplicate: 0.25, PerNetworkDay: 2, MinUsable: 3}
	good := []Candidate{
		{"a", at(1), "n1", "monday"}, {"b", at(2), "n1", "monday"}, {"c", at(3), "n1", "tuesday"}, {"d", at(4), "n2", "monday"},
	}
	for name, test := range map[string]struct {
		more []Candidate
		want DrawReport
	}{
		"all":                {nil, DrawReport{Members: 4, Usable: true}},
		"a second face":      {[]Candidate{{"e", at(1.2), "n3", ""}}, DrawReport{Duplicates: 1, Members: 4, Usable: true}},
		"just another face":  {[]Candidate{{"e", at(1.3), "n3", ""}}, DrawReport{Members: 5, Usable: true}},
		"an owner twice":     {[]Candidate{{"a", at(9), "n3", ""}}, DrawReport{Duplicates: 1, Members: 4, Usable: true}},
		"a crowd in a place": {[]Candidate{{"e", at(9), "n1", "monday"}, {"f", at(10), "n1", "monday"}}, DrawReport{Capped: 2, Members: 4, Usable: true}},
		"no owner":           {[]Candidate{{"", at(9), "n3", ""}}, DrawReport{Unusable: 1, Members: 4, Usable: true}},
		"no number":          {[]Candidate{{"e", at(float32(math.NaN())), "n3", ""}}, DrawReport{Unusable: 1, Members: 4, Usable: true}},
	} {
		candidates := slices.Concat(good, test.more)
		test.want.Candidates = len(candidates)
		members, got := DrawCohort(candidates, rules, rand.New(rand.NewPCG(1, 0)))
		if got != test.want || len(members) != got.Members {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
	}
	rules.Size = 2
	if members, got := DrawCohort(good, rules, rand.New(rand.NewPCG(1, 0))); len(members) != 2 || got.Unneeded != 2 || got.Usable {
		t.Errorf("a sample of 2: %+v", got)
	}
}

// The sample is random: over many draws everybody is in it about as often.
func TestDrawCohortIsFair(t *testing.T) {
	t.Parallel()
	var candidates []Candidate
	for i := range 10 {
		candidates = append(candidates, Candidate{Owner: fmt.Sprint(i), Descriptor: at(float32(i)), Network: fmt.Sprint(i)})
	}
	drawn := make(map[string]int)
	r := rand.New(rand.NewPCG(1, 0))
	for range 2000 {
		members, _ := DrawCohort(candidates, CohortRules{Size: 5, Duplicate: 0.25, PerNetworkDay: 1}, r)
		for _, m := range members {
			drawn[m.Owner]++
		}
	}
	for owner, n := range drawn {
		if n < 850 || n > 1150 {
			t.Errorf("%s is in %d of 2000 samples of half", owner, n)
		}
	}
}

func TestCheckCohort(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 0))
	var members []CohortMember
	for i := range 60 {
		members = append(members, CohortMember{Owner: fmt.Sprint("m", i), Descriptor: scattered(r)})
	}
	// subject has two photos; the second of a changed one shows somebody else.
	subject := func(label, group string, changed bool) ReferenceSubject {
		first := scattered(r)
		second := nudged(first, r)
		if changed {
			second = scattered(r)
		}
		return ReferenceSubject{Label: label, Group: group, Descriptors: []Descriptor{first, second}}
	}
	var people, strangers, twins []ReferenceSubject
	for i := range 20 {
		people = append(people, subject(fmt.Sprint("p", i), "wild", false))
		strangers = append(strangers, subject(fmt.Sprint("s", i), "", true))
	}
	same := scattered(r)
	for i := range 5 {
		twins = append(twins, ReferenceSubject{Label: fmt.Sprint("t", i), Group: "twins", Descriptors: []Descriptor{nudged(same, r), nudged(same, r)}})
	}
	strict := CohortBounds{MaxFMR: 0.01, MaxGroupFMR: 0.01, MaxFNMR: 0.05}
	lax := CohortBounds{MaxFMR: 1, MaxGroupFMR: 1, MaxFNMR: 1}
	for name, test := range map[string]struct {
		reference []ReferenceSubject
		bounds    CohortBounds
		wantErr   string
	}{
		"good":             {people, strict, ""},
		"not recognised":   {strangers, strict, "FNMR 1.0000"},
		"twins refused":    {append(people[:20:20], twins...), strict, "FNMR"},
		"twins let in":     {append(people[:20:20], twins...), lax, ""},
		"nobody":           {nil, strict, "0 subjects"},
		"no label":         {[]ReferenceSubject{{Descriptors: []Descriptor{same}}}, strict, "without label"},
		"one photo each":   {[]ReferenceSubject{{Label: "a", Descriptors: []Descriptor{same}}, {Label: "b", Descriptors: []Descriptor{same}}}, strict, "0 of them with two"},
		"only not numbers": {[]ReferenceSubject{{Label: "a", Descriptors: []Descriptor{at(float32(math.NaN())), same}}, {Label: "b", Descriptors: []Descriptor{same}}}, strict, "no subject"},
	} {
		check, err := CheckCohort("v1", DefaultNeighbours, members, test.reference, 0.8, test.bounds)
		if (err == nil) != (test.wantErr == "") || err != nil && !strings.Contains(err.Error(), test.wantErr) {
			t.Errorf("%s: %+v, %v; want %q", name, check, err, test.wantErr)
		}
		if err == nil && (check.Bound <= 0 || check.Impostors != len(test.reference)*(len(test.reference)-1)-thinTries(check, len(test.reference))) {
			t.Errorf("%s: %+v", name, check)
		}
	}
	check, err := CheckCohort("v1", DefaultNeighbours, members, append(people[:20:20], twins...), 0.8, lax)
	if err != nil || check.WorstGroup != "twins" || check.WorstGroupFMR < 0.9 || check.WorstGroupTries > 20 {
		t.Errorf("twins: %+v, %v", check, err)
	}
	if _, err := CheckCohort("v1", DefaultNeighbours, members[:5], people, 0.8, strict); err == nil {
		t.Error("five members for ten neighbours")
	}
	if _, err := CheckCohort("v1", DefaultNeighbours, members, people, math.NaN(), strict); err == nil || errors.Is(err, ErrThin) {
		t.Errorf("no threshold: %v", err)
	}
}

// thinTries are the impostor comparisons that thin templates take away.
func thinTries(c CohortCheck, subjects int) int {
	return int(math.Round(c.Thin*float64(c.Genuine))) * (subjects - 1)
}
