-- Devices without a browser of their own sign in by a code that is typed elsewhere (RFC 8628).
CREATE TABLE device_authorizations (
    id             uuid PRIMARY KEY,
    client_id      text NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    device_hash    bytea NOT NULL CONSTRAINT device_authorizations_device_key UNIQUE CHECK (length(device_hash) = 32),
    user_code_hash bytea NOT NULL CONSTRAINT device_authorizations_user_code_key UNIQUE CHECK (length(user_code_hash) = 32),
    scopes         text[] NOT NULL,
    ip             text NOT NULL, -- of the device, which its person is shown
    user_agent     text NOT NULL,
    poll_seconds   integer NOT NULL, -- between two questions; grows for a device that asks too often
    polled_at      timestamptz,
    found_by       uuid REFERENCES sessions (id) ON DELETE CASCADE, -- the session that the code was typed in
    denied         boolean NOT NULL DEFAULT false,
    grant_id       uuid REFERENCES grants (id) ON DELETE CASCADE, -- what it was allowed
    created_at     timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL
);

CREATE INDEX device_authorizations_expires_idx ON device_authorizations (expires_at);

-- A device's sign-in is a session of its own that no token of ours opens: the app's tokens hang on it.
ALTER TABLE sessions DROP CONSTRAINT sessions_transport_check;
ALTER TABLE sessions ADD CONSTRAINT sessions_transport_check CHECK (transport IN ('cookie', 'bearer', 'app'));
