// Package hook tells endpoints what happened, by signed requests in the form of Standard
// Webhooks (https://www.standardwebhooks.com): what waits in the records is sent, tried
// again, and in the end given up.
package hook

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/outbound"
)

// Store is what a messenger needs of the records.
type Store interface {
	TakeDelivery(ctx context.Context, id models.ID) (models.Parcel, time.Duration, error)
	ReportDelivery(ctx context.Context, p models.Parcel, o models.Outcome) error
}

// Messenger delivers what waits.
type Messenger struct {
	Store  Store
	Client *http.Client // outbound's, that reaches nothing within
	Now    func() time.Time
}

// answerBytes is how much of an answer's body is read, and dropped, so that its
// connection can be used again.
const answerBytes = 64 << 10

// pauses are those between one attempt and the next: with them the last attempt is made
// within 24 hours.
var pauses = []time.Duration{
	5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute,
	time.Hour, 3 * time.Hour, 6 * time.Hour, 13 * time.Hour,
}

// pause is how long to wait after an attempt that failed, from 1; 0 when it was the
// last. Up to a fifth is left out by chance, so that what failed together doesn't come
// back together.
func pause(attempt int) time.Duration {
	if attempt > len(pauses) {
		return 0
	}
	p := pauses[attempt-1]
	return p - rand.N(p/5) //nolint:gosec // nothing is kept secret by it
}

// Deliver makes an attempt at a delivery, and gives how long until the next one; 0 for
// none. Nothing is done for one that is over, or waits for another of its lane. An error
// is of our own records: the endpoint's go into them.
func (m Messenger) Deliver(ctx context.Context, id models.ID) (time.Duration, error) {
	parcel, wait, err := m.Store.TakeDelivery(ctx, id)
	if models.CodeOf(err) == models.CodeNotFound {
		return 0, nil
	}
	if err != nil || wait > 0 {
		return wait, err
	}
	outcome := m.send(ctx, parcel)
	if ctx.Err() != nil {
		return 0, ctx.Err() // we are being stopped, which is no fault of theirs
	}
	return outcome.Again, m.Store.ReportDelivery(ctx, parcel, outcome)
}

// The words for why an attempt failed.
const (
	failedAddress     = "refused_address" // not a public one
	failedTimeout     = "timeout"
	failedUnreachable = "unreachable"
	failedStatus      = "status" // neither 2xx nor 410
	failedGone        = "gone"   // 410
)

func (m Messenger) send(ctx context.Context, p models.Parcel) models.Outcome {
	failed := func(status int, why string) models.Outcome {
		return models.Outcome{Again: pause(p.Attempt), Status: status, Error: why}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL, bytes.NewReader(p.Payload))
	if err != nil {
		return failed(0, failedAddress)
	}
	now := m.Now()
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "Sallyport-Webhooks/1")
	request.Header.Set("Webhook-Id", string(p.EventID))
	request.Header.Set("Webhook-Timestamp", strconv.FormatInt(now.Unix(), 10))
	request.Header.Set("Webhook-Signature", sign(p.Secrets, string(p.EventID), now, p.Payload))
	response, err := m.Client.Do(request)
	var slow interface{ Timeout() bool }
	switch {
	case errors.Is(err, outbound.ErrRefused):
		return failed(0, failedAddress)
	case errors.As(err, &slow) && slow.Timeout():
		return failed(0, failedTimeout)
	case err != nil:
		return failed(0, failedUnreachable)
	}
	// The status has said all: a body that breaks off changes nothing.
	_, _ = io.CopyN(io.Discard, response.Body, answerBytes)
	_ = response.Body.Close()
	switch {
	case response.StatusCode >= 200 && response.StatusCode < 300:
		return models.Outcome{Delivered: true, Status: response.StatusCode}
	case response.StatusCode == http.StatusGone:
		return models.Outcome{Gone: true, Status: response.StatusCode, Error: failedGone}
	default:
		return failed(response.StatusCode, failedStatus)
	}
}
