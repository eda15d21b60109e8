-- Apps on hosts of their own, behind proxies that ask first (docs/forward-auth.md). A browser has a token for each host, so that
-- no app sees one that serves at another. It lives as long as the session behind it, and a session has one for a host.
CREATE TABLE host_sessions (
    token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    session_id uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    host       text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT host_sessions_session_key UNIQUE (session_id, host)
);

-- What brings a browser from Sallyport to an app's host: once, and only where the cookie is that it set out with.
CREATE TABLE host_codes (
    code_hash  bytea PRIMARY KEY CHECK (length(code_hash) = 32),
    session_id uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    host       text NOT NULL,
    binding    bytea NOT NULL CHECK (length(binding) = 32),
    leads_to   text NOT NULL, -- path and query on the host
    expires_at timestamptz NOT NULL
);

CREATE INDEX host_codes_session_id_idx ON host_codes (session_id);
CREATE INDEX host_codes_expires_at_idx ON host_codes (expires_at);
