package web

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
)

const keyTries local = "tries"

// Try counts one try at a factor of the request's account, before the check it
// belongs to. A success also opens the lanes again that it reopens.
func (d *Door) Try(c *fiber.Ctx, factor models.Factor, reopens ...string) error {
	return d.tryFactor(c, factor, countTries|countInARow|countToDisable, reopens...)
}

// TryNew is Try while a factor is set up: failing at a new one says nothing of
// the one that there was.
func (d *Door) TryNew(c *fiber.Ctx, factor models.Factor) error {
	return d.tryFactor(c, factor, countTries|countInARow)
}

// TryChallenge counts the issuing of a challenge as the try that it allows. Its
// answer is counted by TryAnswer.
func (d *Door) TryChallenge(c *fiber.Ctx, factor models.Factor) error {
	return d.tryFactor(c, factor, countTries)
}

// TryAnswer counts the answer to a challenge as a failure in a row, until it has
// passed. Whoever turned the question away has not failed at it.
func (d *Door) TryAnswer(c *fiber.Ctx, factor models.Factor) error {
	return d.tryFactor(c, factor, countInARow|countToDisable)
}

// What a try at a factor is counted in.
const (
	countTries = 1 << iota
	countInARow
	countToDisable
)

func (d *Door) tryFactor(c *fiber.Ctx, factor models.Factor, counts int, reopens ...string) error {
	s, limits := Session(c), d.Policy(c).Limits
	device, err := d.KnownDevice(c, s.User.ID)
	if err != nil {
		return err
	}
	subject, limit := models.AccountSubject(s.User.ID), d.Policy(c).Limit(factor)
	try := models.Try{Factor: factor, Waits: limits.InARow, Reopens: reopens, By: s}
	if device != "" {
		subject = models.DeviceSubject(device)
	}
	buckets := []models.Bucket{{Subject: subject, Kind: string(factor), Limit: limit}}
	if device == "" {
		buckets = append(buckets, models.Bucket{Subject: models.From(subject, Network(c)), Kind: string(factor), Limit: limit.Half()})
	}
	if counts&countTries != 0 {
		try.Buckets = buckets
	}
	if counts&countInARow != 0 {
		try.Streaks = []models.Streak{{Subject: subject, Kind: string(factor)}}
	}
	if counts&countToDisable != 0 {
		if factor == models.Password { // which is never set up anew: its lane closes
			try.Streaks[0].CloseAfter = limits.InARow.DisableAfter
		} else {
			try.DisableAfter = limits.InARow.DisableAfter
		}
	}
	if err := d.Count(c, try); err != nil {
		return err
	}
	if counts&countTries == 0 { // its challenge was counted in them, and a success gives that back
		note(c, models.Try{Factor: factor, Buckets: buckets})
	}
	return nil
}

// Count counts a try and notes it, so that it can be given back.
func (d *Door) Count(c *fiber.Ctx, try models.Try) error {
	counted, err := d.Store.Count(c.UserContext(), try)
	if err == nil {
		note(c, counted)
	}
	return err
}

func note(c *fiber.Ctx, try models.Try) { c.Locals(keyTries, append(noted(c), try)) }

func noted(c *fiber.Ctx) []models.Try {
	tries, _ := c.Locals(keyTries).([]models.Try)
	return tries
}

// tried is all that this request counted for a factor.
func tried(c *fiber.Ctx, factor models.Factor) *models.Try {
	all := models.Try{Factor: factor}
	for _, try := range noted(c) {
		if try.Factor == factor {
			all.Buckets = append(all.Buckets, try.Buckets...)
			all.Streaks = append(all.Streaks, try.Streaks...)
			all.Reopens = append(all.Reopens, try.Reopens...)
		}
	}
	return &all
}

// Reopen opens lanes of a factor again with this request's success, although it was no
// try at it.
func (d *Door) Reopen(c *fiber.Ctx, factor models.Factor, subjects ...string) {
	note(c, models.Try{Factor: factor, Reopens: subjects})
}

// CountNetwork counts one request of a kind for the network it comes from.
func (d *Door) CountNetwork(c *fiber.Ctx, kind string, limit models.Limit) error {
	return d.Count(c, work(models.NetworkSubject(Network(c)), kind, limit))
}

// CountNetworkOrDevice is CountNetwork for what strangers in the network of a
// known device must not use up.
func (d *Door) CountNetworkOrDevice(c *fiber.Ctx, kind string, limit models.Limit) error {
	devices, err := d.knownDevices(c)
	if err != nil {
		return err
	}
	if len(devices) == 0 {
		return d.CountNetwork(c, kind, limit)
	}
	return d.Count(c, work(models.DeviceSubject(devices[0].ID), kind, limit))
}

// CountAccount counts work that the request's account has done for it.
func (d *Door) CountAccount(c *fiber.Ctx, kind string, limit models.Limit) error {
	return d.Count(c, work(models.AccountSubject(Session(c).User.ID), kind, limit))
}

func work(subject, kind string, limit models.Limit) models.Try {
	return models.Try{Buckets: []models.Bucket{{Subject: subject, Kind: kind, Limit: limit, Work: true}}}
}

const giveBackWithin = 5 * time.Second

// GiveBackShed gives the tries of a request back whose check was refused for
// want of room, and hands the refusal on: nothing was guessed, and whoever fills
// the queue must not use up other people's tries.
func (d *Door) GiveBackShed(c *fiber.Ctx, refusal error) error {
	if models.CodeOf(refusal) == models.CodeOverloaded {
		d.GiveBack(c)
	}
	return refusal
}

// GiveBack gives the tries of a request back that came to no guess. The request's
// own time may be over by then: that is one of the reasons.
func (d *Door) GiveBack(c *fiber.Ctx) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.UserContext()), giveBackWithin)
	defer cancel()
	for _, try := range noted(c) {
		if err := d.Store.GiveBack(ctx, try); err != nil {
			d.Log.Warn("a try was not given back", "error", err)
		}
	}
}
