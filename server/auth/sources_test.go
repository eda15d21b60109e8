package auth

import (
	"fmt"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
)

// What strangers make the process remember is bounded, and what says most stays.
func TestSourcesAreBounded(t *testing.T) {
	t.Parallel()
	at := time.Unix(1_000_000, 0)
	s := NewSources(func() time.Time { return at })
	rules := models.Sources{Window: models.Duration(time.Minute), Names: 3, Sprayed: 3, Cost: 10}
	for i := range 50 {
		s.Failed(rules, "the source", fmt.Sprint("name", i), fmt.Sprint("password", i))
	}
	for i := range maxTrails + 1000 {
		s.Failed(rules, fmt.Sprint("network", i), "ada", fmt.Sprint("guess", i))
	}
	if len(s.networks) > maxTrails || len(s.passwords) > maxTrails {
		t.Errorf("%d networks and %d passwords are remembered", len(s.networks), len(s.passwords))
	}
	if n := len(s.networks[s.digest("network", "the source")].names); n != rules.Names+1 {
		t.Errorf("%d names of one network are remembered", n)
	}
	if cost, _ := s.Cost(rules, "the source", "x"); cost != 10 {
		t.Errorf("the one that failed at many names pays %d", cost)
	}
	at = at.Add(time.Minute)
	if cost, sprayed := s.Cost(rules, "the source", "x"); cost != 1 || sprayed {
		t.Errorf("a minute later it pays %d", cost)
	}
}
