CREATE TABLE passkeys (
    id              uuid PRIMARY KEY,
    user_id         uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    credential_id   bytea NOT NULL CONSTRAINT passkeys_credential_id_key UNIQUE,
    name            text NOT NULL,
    -- hot columns, to ask about without opening the document
    sign_count      bigint NOT NULL,
    clone_warning   boolean NOT NULL,
    backup_eligible boolean NOT NULL,
    backup_state    boolean NOT NULL,
    aaguid          bytea NOT NULL,
    -- the whole credential, every field that go-webauthn knows
    credential      jsonb NOT NULL,
    created_at      timestamptz NOT NULL,
    last_used_at    timestamptz
);

CREATE INDEX passkeys_user_id_idx ON passkeys (user_id);

-- A challenge is taken by DELETE ... RETURNING, so it serves once. One that
-- belongs to no session is bound to a pre-session cookie by the hash of it.
CREATE TABLE challenges (
    id           uuid PRIMARY KEY,
    purpose      text NOT NULL,
    session_id   uuid REFERENCES sessions (id) ON DELETE CASCADE,
    user_id      uuid REFERENCES users (id) ON DELETE CASCADE,
    binding_hash bytea CHECK (length(binding_hash) = 32),
    data         jsonb NOT NULL,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    CHECK ((session_id IS NULL) = (binding_hash IS NOT NULL))
);

CREATE INDEX challenges_session_id_idx ON challenges (session_id);
CREATE INDEX challenges_binding_hash_idx ON challenges (binding_hash);
CREATE INDEX challenges_expires_at_idx ON challenges (expires_at);

CREATE TABLE totp (
    id         uuid PRIMARY KEY,
    user_id    uuid NOT NULL CONSTRAINT totp_user_id_key UNIQUE REFERENCES users (id) ON DELETE CASCADE,
    secret     bytea NOT NULL, -- sealed
    last_step  bigint NOT NULL, -- the newest step a code was accepted for
    created_at timestamptz NOT NULL,
    last_used_at timestamptz
);

-- A secret that was shown but not proven yet. It belongs to the session that
-- asked for it.
CREATE TABLE totp_enrolments (
    id         uuid PRIMARY KEY,
    session_id uuid NOT NULL CONSTRAINT totp_enrolments_session_id_key UNIQUE REFERENCES sessions (id) ON DELETE CASCADE,
    user_id    uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    secret     bytea NOT NULL, -- sealed
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE INDEX totp_enrolments_user_id_idx ON totp_enrolments (user_id);

CREATE TABLE recovery_codes (
    id         uuid PRIMARY KEY,
    user_id    uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    row_number smallint NOT NULL CHECK (row_number BETWEEN 1 AND 99),
    code_hash  text NOT NULL CHECK (code_hash LIKE '$argon2id$%'),
    created_at timestamptz NOT NULL,
    used_at    timestamptz,
    CONSTRAINT recovery_codes_row_key UNIQUE (user_id, row_number)
);

CREATE TABLE face_consents (
    id           uuid PRIMARY KEY,
    user_id      uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    version      text NOT NULL,
    given_at     timestamptz NOT NULL,
    withdrawn_at timestamptz
);

CREATE INDEX face_consents_user_id_idx ON face_consents (user_id);

CREATE TABLE face_templates (
    id           uuid PRIMARY KEY,
    user_id      uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    descriptor bytea NOT NULL, -- sealed, 128 little-endian float32
    model_key    text NOT NULL, -- templates compare with probes of the same model alone
    created_at   timestamptz NOT NULL
);

CREATE INDEX face_templates_user_id_idx ON face_templates (user_id);
