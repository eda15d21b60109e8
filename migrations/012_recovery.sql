-- A way back for somebody who holds no factor any more: by waiting, or by two admins. It ends when it was used, stopped, or
-- overtaken by a factor that is older.
CREATE TABLE recoveries (
    id          uuid PRIMARY KEY,
    user_id     uuid NOT NULL CONSTRAINT recoveries_user_key UNIQUE REFERENCES users (id) ON DELETE CASCADE,
    kind        text NOT NULL CHECK (kind IN ('waiting', 'assisted')),
    begun_at    timestamptz NOT NULL,
    by_mail     boolean NOT NULL DEFAULT false, -- begun by both addresses of the account, without its password
    told_at     timestamptz NOT NULL, -- when its owner was last told
    ready_at    timestamptz, -- when the letter was made that ends it
    -- the admins of an assisted one; without either of them it is nothing
    opened_by   uuid REFERENCES users (id) ON DELETE CASCADE,
    approved_by uuid REFERENCES users (id) ON DELETE CASCADE,
    CHECK (approved_by <> opened_by AND opened_by <> user_id AND approved_by <> user_id)
);

CREATE INDEX recoveries_opened_by_idx ON recoveries (opened_by);
CREATE INDEX recoveries_approved_by_idx ON recoveries (approved_by);

-- Admins are made by the command line alone.
ALTER TABLE users ADD COLUMN admin_since timestamptz;

-- An authenticator app that somebody who came back by a way back replaced. It returns if they weren't the owner.
CREATE TABLE totp_replaced (
    id           uuid PRIMARY KEY, -- what its secret is sealed to
    user_id      uuid NOT NULL CONSTRAINT totp_replaced_user_key UNIQUE REFERENCES users (id) ON DELETE CASCADE,
    secret       bytea NOT NULL,
    last_step    bigint NOT NULL,
    created_at   timestamptz NOT NULL,
    last_used_at timestamptz,
    replaced_at  timestamptz NOT NULL
);

CREATE INDEX totp_replaced_replaced_at_idx ON totp_replaced (replaced_at);
