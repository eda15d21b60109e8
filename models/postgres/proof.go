package postgres

import (
	"context"
	"time"
)

// SpendProof uses a proof of work up. first tells whether it had not been used
// before; it is remembered until it expires.
func (s *Store) SpendProof(ctx context.Context, challenge []byte, expires time.Time) (first bool, err error) {
	tag, err := s.pool.Exec(ctx, `
		INSERT INTO spent_proofs (challenge, expires_at)
		VALUES ($1, $2)
		ON CONFLICT (challenge) DO NOTHING`, challenge, expires)
	return err == nil && tag.RowsAffected() == 1, fail(err)
}
