-- Browsers and apps whose owner asked not to be asked for the second step there: a key that can't be handed out, which with
-- the password opens the second door at level 1. ends_at is absolute: use doesn't move it.
CREATE TABLE remembered_devices (
    id           uuid PRIMARY KEY,
    user_id      uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- the newest session in which it was remembered or recognised; it may have ended. A session has one device.
    session_id   uuid NOT NULL CONSTRAINT remembered_devices_session_key UNIQUE,
    public_key   bytea NOT NULL, -- SubjectPublicKeyInfo (RFC 5280), P-256
    thumbprint   text NOT NULL, -- base64url of its SHA-256
    ip           text NOT NULL,
    user_agent   text NOT NULL,
    created_at   timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    ends_at      timestamptz NOT NULL,
    CONSTRAINT remembered_devices_thumbprint_key UNIQUE (user_id, thumbprint)
);

CREATE INDEX remembered_devices_ends_at_idx ON remembered_devices (ends_at);

ALTER TABLE factor_failures
    DROP CONSTRAINT factor_failures_factor_check,
    ADD CONSTRAINT factor_failures_factor_check CHECK (factor IN ('passkey', 'totp', 'recovery', 'device'));
