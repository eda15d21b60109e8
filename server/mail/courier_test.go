package mail

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/sallyport/sallyport/models"
)

// shelf holds one notice, as the records would.
type shelf struct {
	notice        models.Notice
	used          bool // the link of an earlier try
	sent, givenUp int
}

func (s *shelf) Notice(context.Context, models.ID) (models.Notice, error) {
	if s.sent+s.givenUp > 0 {
		return models.Notice{}, models.Refuse(models.CodeNotFound, "gone")
	}
	return s.notice, nil
}

func (s *shelf) MintLink(context.Context, models.Notice, models.LinkKind) (string, error) {
	if s.used {
		return "", models.Refuse(models.CodeNotFound, "used")
	}
	return "token", nil
}

func (s *shelf) NoticeSent(context.Context, models.ID) error   { s.sent++; return nil }
func (s *shelf) GiveUpNotice(context.Context, models.ID) error { s.givenUp++; return nil }

// answers gives every letter the same answer, and counts.
type answers struct {
	err   error
	taken int
}

func (a *answers) Send(context.Context, Message) error { a.taken++; return a.err }

func TestALetterIsHandedOverOnceAndTriedAgainOnlyWhereItMayHelp(t *testing.T) {
	t.Parallel()
	down := errors.New("the server answered 421")
	refused := fmt.Errorf("the server answered 550: %w", ErrRefused)
	for name, c := range map[string]struct {
		answer                error
		used                  bool
		taken, sent, givenUp  int // after two runs of the job
		again, refusedForGood bool
	}{
		"taken":                    {nil, false, 1, 1, 0, false, false},
		"down":                     {down, false, 2, 0, 0, true, false},
		"refused":                  {refused, false, 1, 0, 1, true, true},
		"its link was used before": {nil, true, 0, 1, 0, false, false},
	} {
		box := &answers{err: c.answer}
		records := &shelf{notice: about(models.NoticeFactorAdded, "en"), used: c.used}
		courier := Courier{Store: records, Letters: newLetters(t), Post: box, Place: func(string, string) string { return "" }}
		err := courier.Deliver(t.Context(), records.notice.ID)
		if (err != nil) != c.again || errors.Is(err, ErrRefused) != c.refusedForGood {
			t.Errorf("%s: %v", name, err)
		}
		if err := courier.Deliver(t.Context(), records.notice.ID); (err != nil) != (name == "down") {
			t.Errorf("%s, the second time: %v", name, err)
		}
		if box.taken != c.taken || records.sent != c.sent || records.givenUp != c.givenUp {
			t.Errorf("%s: handed over %d times, sent %d, given up %d", name, box.taken, records.sent, records.givenUp)
		}
	}
}
