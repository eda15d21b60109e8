CREATE TABLE users (
    id                 uuid PRIMARY KEY,
    email              text NOT NULL,
    email_canonical    text NOT NULL CONSTRAINT users_email_key UNIQUE,
    email_verified     boolean NOT NULL DEFAULT false,
    username           text NOT NULL,
    username_canonical text NOT NULL CONSTRAINT users_username_key UNIQUE CHECK (username_canonical !~ '@'),
    display_name       text NOT NULL,
    password_hash      text NOT NULL CHECK (password_hash LIKE '$argon2id$%'),
    webauthn_handle    bytea NOT NULL CONSTRAINT users_webauthn_handle_key UNIQUE CHECK (length(webauthn_handle) = 64),
    -- set once, never cleared: see models.User
    mfa_established_at timestamptz,
    created_at         timestamptz NOT NULL
);

CREATE TABLE policies (
    version    text PRIMARY KEY,
    document   jsonb NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE sessions (
    id             uuid PRIMARY KEY,
    token_hash     bytea NOT NULL CONSTRAINT sessions_token_hash_key UNIQUE CHECK (length(token_hash) = 32),
    user_id        uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    state          text NOT NULL CHECK (state IN ('second_factor_required', 'enrolment_required', 'recovering', 'authenticated')),
    methods        jsonb NOT NULL,
    policy_version text NOT NULL,
    transport      text NOT NULL CHECK (transport IN ('cookie', 'bearer')),
    ip             text NOT NULL,
    user_agent     text NOT NULL,
    created_at     timestamptz NOT NULL,
    last_seen_at   timestamptz NOT NULL,
    idle_ends_at   timestamptz NOT NULL,
    ends_at        timestamptz NOT NULL
);

CREATE INDEX sessions_user_id_idx ON sessions (user_id);
CREATE INDEX sessions_ends_idx ON sessions (LEAST(idle_ends_at, ends_at));

-- Whoever holds something open for a session (a socket) is told the moment it
-- ends or stops being authenticated, whichever statement did it.
CREATE FUNCTION sessions_notify_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('sallyport_session_ended', OLD.id::text);
    RETURN NULL;
END $$;

CREATE TRIGGER sessions_deleted AFTER DELETE ON sessions
    FOR EACH ROW EXECUTE FUNCTION sessions_notify_ended();
CREATE TRIGGER sessions_lowered AFTER UPDATE OF state ON sessions
    FOR EACH ROW WHEN (OLD.state = 'authenticated' AND NEW.state <> 'authenticated')
    EXECUTE FUNCTION sessions_notify_ended();

-- Failures, counted and committed before the check they belong to. subject is
-- an account, a network, or the digest of a name that nobody has.
CREATE TABLE attempt_counts (
    subject        text NOT NULL,
    kind           text NOT NULL,
    failures       integer NOT NULL,
    window_ends_at timestamptz NOT NULL,
    PRIMARY KEY (subject, kind)
);

CREATE INDEX attempt_counts_window_idx ON attempt_counts (window_ends_at);

-- The audit log: each row is written in the transaction of the fact it states.
CREATE TABLE events (
    id             uuid PRIMARY KEY,
    at             timestamptz NOT NULL,
    user_id        uuid REFERENCES users (id) ON DELETE SET NULL,
    session_id     uuid,
    fact           text NOT NULL,
    detail         jsonb NOT NULL DEFAULT '{}',
    policy_version text NOT NULL,
    ip             text NOT NULL
);

CREATE INDEX events_user_id_idx ON events (user_id, id);
