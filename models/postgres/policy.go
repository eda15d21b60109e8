package postgres

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

// SavePolicy keeps a policy under its version, so that every instance can
// judge an attempt by the one it began with.
func (s *Store) SavePolicy(ctx context.Context, p models.Policy) error {
	_, err := s.pool.Exec(ctx, `
		INSERT INTO policies (version, document, created_at)
		VALUES ($1, $2, $3)
		ON CONFLICT (version) DO NOTHING`, p.Version(), p.JSON(), s.clock())
	return fail(err)
}

// PolicyByVersion finds a policy that was in force at some time; not_found for
// a version nobody knows.
func (s *Store) PolicyByVersion(ctx context.Context, version string) (models.Policy, error) {
	var p models.Policy
	var doc []byte
	err := s.pool.QueryRow(ctx, `
		SELECT document
		FROM policies
		WHERE version = $1`, version).Scan(&doc)
	if errors.Is(err, pgx.ErrNoRows) {
		return p, notFound()
	}
	if err != nil {
		return p, fail(err)
	}
	// A document that was stored before a setting existed has the setting's default.
	p = models.DefaultPolicy("")
	return p, json.Unmarshal(doc, &p)
}
