package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

// SetGroup puts the account of a user name into a group, or takes it out. not_found when
// there is no such account; conflict when nothing changes by it.
func (s *Store) SetGroup(ctx context.Context, username, group string, member bool) error {
	return s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		user, err := userByName(ctx, tx, username)
		if err != nil {
			return err
		}
		sql, fact := `INSERT INTO user_groups (user_id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING`, "group_joined"
		if !member {
			sql, fact = `DELETE FROM user_groups WHERE user_id = $1 AND name = $2`, "group_left"
		}
		tag, err := tx.Exec(ctx, sql, user.ID, group)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return models.Refuse(models.CodeConflict, "nothing changes by that")
		}
		return s.record(ctx, tx, now, models.Session{User: user}, fact, map[string]any{"group": group})
	})
}

// GroupMember is an account in a group.
type GroupMember struct{ Group, Username string }

// GroupMembers lists who is in which group.
func (s *Store) GroupMembers(ctx context.Context) ([]GroupMember, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT g.name, u.username
		FROM user_groups g
		JOIN users u ON u.id = g.user_id
		ORDER BY g.name, u.username`)
	if err != nil {
		return nil, fail(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[GroupMember])
	return list, fail(err)
}
