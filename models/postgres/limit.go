package postgres

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

// Count counts a try before the check it belongs to is made, in a transaction of
// its own: neither parallel guesses nor a transaction rolled back later win an
// extra try. It is counted everywhere or, where anything refuses, nowhere. The
// try comes back with what giving it back needs.
//
// Errors: rate_limited with the exact time to wait; conflict (reason
// factor_disabled) once the factor has failed too often in a row.
func (s *Store) Count(ctx context.Context, try models.Try) (models.Try, error) {
	try.Buckets = slices.Clone(try.Buckets)
	inOrder(try.Buckets)
	var refusal error // told after what it rests on is committed
	err := s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		if err := fill(ctx, tx, now, try.Buckets); err != nil {
			return err
		}
		for _, streak := range try.Streaks {
			closed, err := lengthen(ctx, tx, now, streak, try.Waits)
			if err != nil {
				return err
			}
			if closed {
				refusal = errClosed(try.Waits)
				if err := s.recordDisabled(ctx, tx, now, try); err != nil {
					return err
				}
			}
		}
		if try.DisableAfter == 0 {
			return nil
		}
		disabled, err := failOnceMore(ctx, tx, now, try)
		if err != nil || !disabled {
			return err
		}
		refusal = factorDisabled()
		return s.recordDisabled(ctx, tx, now, try)
	})
	if errors.Is(err, errFull) {
		return try, s.refusal(ctx, try)
	}
	if err != nil {
		return try, err
	}
	return try, refusal
}

// errFull ends a count that something refuses, and all that was counted with it.
var errFull = errors.New("no more tries now")

// inOrder has everybody take the locks of several buckets in one order.
func inOrder(buckets []models.Bucket) {
	slices.SortFunc(buckets, func(a, b models.Bucket) int {
		return cmp.Or(cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Kind, b.Kind))
	})
}

// fill puts a try into its buckets: the generic cell rate algorithm (ITU-T I.371
// annex A). A bucket whose drain would then take longer than its window is full.
func fill(ctx context.Context, tx pgx.Tx, now time.Time, buckets []models.Bucket) error {
	batch := &pgx.Batch{}
	for _, b := range buckets {
		batch.Queue(`
			INSERT INTO limit_buckets AS b (subject, kind, empty_at)
			VALUES ($1, $2, $3::timestamptz + $4::interval)
			ON CONFLICT (subject, kind) DO UPDATE
			SET empty_at = greatest(b.empty_at, $3) + $4
			WHERE greatest(b.empty_at, $3) + $4 <= $3 + $5::interval
			RETURNING empty_at`, b.Subject, b.Kind, now, b.Takes(), b.Limit.Window.Std())
	}
	results := tx.SendBatch(ctx, batch)
	var err error
	for i := range buckets {
		if err = results.QueryRow().Scan(&buckets[i].EmptyAt); err != nil {
			break
		}
	}
	if closing := results.Close(); err == nil {
		err = closing
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return errFull
	}
	return err
}

// refusal says how long the try has to wait for whatever refuses it.
func (s *Store) refusal(ctx context.Context, try models.Try) error {
	now := s.clock()
	var wait time.Duration
	for _, b := range try.Buckets {
		var emptyAt time.Time
		err := s.pool.QueryRow(ctx, `
			SELECT empty_at
			FROM limit_buckets
			WHERE subject = $1 AND kind = $2`, b.Subject, b.Kind).Scan(&emptyAt)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return fail(err)
		}
		wait = max(wait, emptyAt.Add(b.Takes()-b.Limit.Window.Std()).Sub(now))
	}
	for _, streak := range try.Streaks {
		var closed bool
		var next *time.Time
		err := s.pool.QueryRow(ctx, `
			SELECT closed, next_try_at
			FROM failure_streaks
			WHERE subject = $1 AND kind = $2`, streak.Subject, streak.Kind).Scan(&closed, &next)
		switch {
		case err != nil && !errors.Is(err, pgx.ErrNoRows):
			return fail(err)
		case closed:
			return errClosed(try.Waits)
		case next != nil:
			wait = max(wait, next.Sub(now))
		}
	}
	return rateLimited(max(wait, time.Second), "too many tries: wait a while, then try again")
}

func rateLimited(wait time.Duration, words string) error {
	return &models.Error{Code: models.CodeRateLimited, Message: words, RetryAfter: wait}
}

// GiveBack takes back a try that came to no check, as when there was no room for
// it.
func (s *Store) GiveBack(ctx context.Context, try models.Try) error {
	return s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		if err := drain(ctx, tx, now, try.Buckets); err != nil {
			return err
		}
		for _, streak := range try.Streaks {
			if err := shorten(ctx, tx, streak); err != nil {
				return err
			}
		}
		if try.DisableAfter == 0 {
			return nil
		}
		_, err := tx.Exec(ctx, `
			UPDATE factor_failures
			SET failures = failures - 1
			WHERE user_id = $1 AND factor = $2 AND failures > 0`, try.By.User.ID, try.Factor)
		return err
	})
}

// drain takes a try out of its buckets. What has drained by itself since is not
// taken again, or an old try would pay for a new one.
func drain(ctx context.Context, tx pgx.Tx, now time.Time, buckets []models.Bucket) error {
	for _, b := range buckets {
		left := b.Takes()
		if !b.EmptyAt.IsZero() {
			left = min(left, b.EmptyAt.Sub(now))
		}
		if left <= 0 {
			continue
		}
		_, err := tx.Exec(ctx, `
			UPDATE limit_buckets
			SET empty_at = empty_at - $3::interval
			WHERE subject = $1 AND kind = $2 AND empty_at > $4`, b.Subject, b.Kind, left, now)
		if err != nil {
			return err
		}
	}
	return nil
}

// resetCount is what a factor's success does to its counts: the try that
// succeeded was no failure, and the failures in a row of its lane are over.
// Other lanes and factors keep theirs, and so does what counts work.
func resetCount(ctx context.Context, tx pgx.Tx, now time.Time, userID models.ID, factor models.Factor, try *models.Try) error {
	if try != nil {
		guesses := slices.DeleteFunc(slices.Clone(try.Buckets), func(b models.Bucket) bool { return b.Work })
		inOrder(guesses)
		if err := drain(ctx, tx, now, guesses); err != nil {
			return err
		}
		var own []string
		for _, streak := range try.Streaks {
			own = append(own, streak.Subject)
		}
		if err := forgive(ctx, tx, own, try.Reopens, factor); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, `
		DELETE FROM factor_failures
		WHERE user_id = $1 AND factor = $2`, userID, factor)
	return err
}
