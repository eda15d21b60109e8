-- Limits, counted and committed before the check that they belong to. Counts of fixed windows give way to buckets that
-- drain evenly; what they held was of some minutes.
DROP TABLE attempt_counts;

-- GCRA: a bucket is full when it takes longer than its limit's window to drain. subject is a name by its keyed digest, an
-- account, a network, a known device, or all.
CREATE TABLE limit_buckets (
    subject  text NOT NULL,
    kind     text NOT NULL,
    empty_at timestamptz NOT NULL, -- the theoretical arrival time
    PRIMARY KEY (subject, kind)
);

CREATE INDEX limit_buckets_empty_at_idx ON limit_buckets (empty_at);

-- Failures in a row of one factor in one lane, and how long the next try has to wait for them. A closed row checks no more
-- tries until a success elsewhere forgives it.
CREATE TABLE failure_streaks (
    subject     text NOT NULL,
    kind        text NOT NULL,
    failures    integer NOT NULL,
    next_try_at timestamptz,
    failed_at   timestamptz NOT NULL,
    closed      boolean NOT NULL,
    PRIMARY KEY (subject, kind)
);

CREATE INDEX failure_streaks_failed_at_idx ON failure_streaks (failed_at) WHERE NOT closed;

-- NIST SP 800-63B-4 section 3.2.2: failures in a row of an account's factor in all lanes together, then it is disabled
-- until it is set up anew. Faces have a count of their own.
CREATE TABLE factor_failures (
    user_id     uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    factor      text NOT NULL CHECK (factor IN ('passkey', 'totp', 'recovery')),
    failures    integer NOT NULL,
    disabled_at timestamptz,
    PRIMARY KEY (user_id, factor)
);

-- Browsers and apps that brought their account to level 2 before. The marker is no factor: it chooses the lane.
CREATE TABLE known_devices (
    id           uuid PRIMARY KEY,
    user_id      uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_hash   bytea NOT NULL CONSTRAINT known_devices_token_hash_key UNIQUE CHECK (length(token_hash) = 32),
    session_id   uuid NOT NULL, -- the newest session at level 2; it may have ended
    user_agent   text NOT NULL,
    created_at   timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL
);

CREATE INDEX known_devices_user_id_idx ON known_devices (user_id);
CREATE INDEX known_devices_last_used_at_idx ON known_devices (last_used_at);

-- Proofs of work that were taken: each serves once.
CREATE TABLE spent_proofs (
    challenge  bytea PRIMARY KEY,
    expires_at timestamptz NOT NULL
);

CREATE INDEX spent_proofs_expires_at_idx ON spent_proofs (expires_at);
