-- The OpenID Provider.

-- What tokens are signed by. A new key is published before it signs (active_at), an old one for as long as a token may live
-- that it signed (retired_at).
CREATE TABLE signing_keys (
    id          uuid PRIMARY KEY, -- the kid
    alg         text NOT NULL CHECK (alg IN ('RS256', 'ES256')),
    private_key bytea NOT NULL, -- PKCS #8, sealed
    created_at  timestamptz NOT NULL,
    active_at   timestamptz NOT NULL,
    retired_at  timestamptz
);

-- An authorization request that waits: for somebody to sign in or to agree, or since an app pushed it (RFC 9126).
CREATE TABLE authorizations (
    id           uuid PRIMARY KEY,
    client_id    text NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    params       jsonb NOT NULL,
    pushed_hash  bytea CONSTRAINT authorizations_pushed_key UNIQUE, -- of the request_uri
    browser_hash bytea, -- the browser that it belongs to; null until one has come with what was pushed
    decision     text CHECK (decision IN ('allow', 'deny')),
    decided_by   uuid REFERENCES sessions (id) ON DELETE CASCADE,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL
);

CREATE INDEX authorizations_expires_idx ON authorizations (expires_at);

-- What a session gave to an app. Codes and tokens hang on it, and it hangs on the session: whatever ends that ends them.
CREATE TABLE grants (
    id         uuid PRIMARY KEY,
    client_id  text NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    user_id    uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    session_id uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    scopes     text[] NOT NULL,
    claims     text[] NOT NULL, -- asked for one by one, for userinfo
    nonce      text NOT NULL,
    methods    jsonb NOT NULL, -- as they were: a refreshed token says no more than the first
    created_at timestamptz NOT NULL
);

CREATE INDEX grants_session_idx ON grants (session_id);
CREATE INDEX grants_user_idx ON grants (user_id);
CREATE INDEX grants_client_idx ON grants (client_id);

CREATE TABLE authorization_codes (
    code_hash    bytea PRIMARY KEY CHECK (length(code_hash) = 32),
    grant_id     uuid NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    redirect_uri text NOT NULL,
    challenge    text NOT NULL, -- S256 (RFC 7636), or empty
    expires_at   timestamptz NOT NULL,
    used_at      timestamptz -- kept for as long as what it gave, so that a second use ends that
);

CREATE INDEX authorization_codes_grant_idx ON authorization_codes (grant_id);

CREATE TABLE refresh_tokens (
    token_hash   bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    grant_id     uuid NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    created_at   timestamptz NOT NULL,
    idle_ends_at timestamptz NOT NULL,
    used_at      timestamptz
);

CREATE INDEX refresh_tokens_grant_idx ON refresh_tokens (grant_id);

-- Opaque access tokens by their hash, signed ones by their jti. Without a grant it is an app's own.
CREATE TABLE access_tokens (
    id         uuid PRIMARY KEY, -- the jti
    token_hash bytea CONSTRAINT access_tokens_hash_key UNIQUE CHECK (length(token_hash) = 32), -- null for signed ones
    client_id  text NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    grant_id   uuid REFERENCES grants (id) ON DELETE CASCADE,
    scopes     text[] NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE INDEX access_tokens_grant_idx ON access_tokens (grant_id);
CREATE INDEX access_tokens_expires_idx ON access_tokens (expires_at);

-- What people agreed that an app of others may know.
CREATE TABLE app_consents (
    user_id    uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client_id  text NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    scopes     text[] NOT NULL,
    given_at   timestamptz NOT NULL,
    PRIMARY KEY (user_id, client_id)
);

-- Signed assertions that apps have used to show who they are (RFC 7523), each once.
CREATE TABLE spent_assertions (
    client_id  text NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    jti_hash   bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (client_id, jti_hash)
);

-- Apps that are to hear that a session is over (OpenID Connect Back-Channel Logout), written by whatever ends a session.
CREATE TABLE logouts (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    client_id  text NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    user_id    uuid NOT NULL, -- outlives the account: the app must hear of its end as well
    session_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    queued_at  timestamptz
);

CREATE INDEX logouts_waiting_idx ON logouts (created_at) WHERE queued_at IS NULL;

CREATE FUNCTION sessions_note_logouts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO logouts (client_id, user_id, session_id)
    SELECT DISTINCT g.client_id, g.user_id, g.session_id
    FROM grants g
    JOIN clients c ON c.id = g.client_id
    WHERE g.session_id = OLD.id AND c.settings ->> 'backchannel_logout_uri' <> '';
    IF FOUND THEN
        PERFORM pg_notify('sallyport_logouts', '');
    END IF;
    RETURN OLD;
END $$;

CREATE TRIGGER sessions_before_delete BEFORE DELETE ON sessions
    FOR EACH ROW EXECUTE FUNCTION sessions_note_logouts();
