-- Second factors for apps that keep their users and passwords themselves. A subject is such a user: a row of users, so
-- that factors, counts and locks are the same, without anything that signs in here or is written to. No cascade from
-- clients: a face's numbers stand in cohorts too, and an app's subjects are erased before it.
ALTER TABLE users
    ADD COLUMN client_id text CONSTRAINT users_client_fkey REFERENCES clients (id),
    ADD COLUMN subject text,
    ALTER COLUMN username_canonical DROP NOT NULL,
    ALTER COLUMN password_hash DROP NOT NULL,
    ADD CONSTRAINT users_subject_key UNIQUE (client_id, subject),
    ADD CONSTRAINT users_kind_check CHECK (CASE
        WHEN client_id IS NULL THEN subject IS NULL AND username_canonical IS NOT NULL AND password_hash IS NOT NULL
        ELSE subject IS NOT NULL AND username_canonical IS NULL AND password_hash IS NULL AND username = '' AND email = ''
            AND email_canonical IS NULL AND second_email IS NULL AND NOT email_verified AND admin_since IS NULL
    END);

CREATE TABLE transactions (
    id              uuid PRIMARY KEY,
    client_id       text NOT NULL CONSTRAINT transactions_client_fkey REFERENCES clients (id) ON DELETE CASCADE,
    user_id         uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    secret_hash     bytea NOT NULL CHECK (length(secret_hash) = 32), -- of what the first browser brings
    asked           jsonb NOT NULL, -- models.Asked: what the app wants, and what the person is shown
    status          text NOT NULL CHECK (status IN ('pending', 'passed', 'redeemed', 'denied', 'failed')),
    opened_at       timestamptz, -- by the one browser that it belongs to
    methods         jsonb NOT NULL DEFAULT '[]',
    enrolled        boolean NOT NULL DEFAULT false,
    passed_at       timestamptz,
    code_hash       bytea CHECK (length(code_hash) = 32),
    code_expires_at timestamptz,
    wrong_codes     smallint NOT NULL DEFAULT 0,
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    CHECK ((status IN ('passed', 'redeemed')) <= (passed_at IS NOT NULL))
);

CREATE INDEX transactions_user_id_idx ON transactions (user_id);
CREATE INDEX transactions_client_id_idx ON transactions (client_id);
CREATE INDEX transactions_expires_at_idx ON transactions (expires_at);

-- A session is an account's, or one transaction's, and never becomes the other.
ALTER TABLE sessions
    ADD COLUMN transaction_id uuid CONSTRAINT sessions_transaction_key UNIQUE REFERENCES transactions (id) ON DELETE CASCADE,
    DROP CONSTRAINT sessions_state_check,
    ADD CONSTRAINT sessions_state_check CHECK (state IN (
        'second_factor_required', 'enrolment_required', 'recovering', 'resetting', 'authenticated',
        'transaction_factor_required', 'transaction_enrolment_required', 'transaction_passed')),
    DROP CONSTRAINT sessions_transport_check,
    ADD CONSTRAINT sessions_transport_check CHECK (transport IN ('cookie', 'bearer', 'app', 'transaction')),
    ADD CONSTRAINT sessions_transaction_check CHECK (
        (transaction_id IS NOT NULL) = (state LIKE 'transaction\_%') AND (transaction_id IS NOT NULL) = (transport = 'transaction'));
