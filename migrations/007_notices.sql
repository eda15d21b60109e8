-- Telling people. A notice is one letter about one fact to one address; it is written in the transaction of the fact, and a
-- job sends it. It holds no secret: tokens of links are minted when the letter is made.
ALTER TABLE users ADD COLUMN language text NOT NULL DEFAULT 'en'; -- BCP 47: what letters are written in

CREATE TABLE notices (
    id          uuid PRIMARY KEY,
    user_id     uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind        text NOT NULL,
    event_id    uuid NOT NULL, -- the fact's row in events
    address     text NOT NULL, -- not always the account's: after a change the old one is told
    language    text NOT NULL,
    detail      jsonb NOT NULL DEFAULT '{}',
    created_at  timestamptz NOT NULL,
    sent_at     timestamptz,
    given_up_at timestamptz,
    CONSTRAINT notices_event_key UNIQUE (event_id, kind, address)
);

CREATE INDEX notices_user_id_idx ON notices (user_id, kind, created_at);
CREATE INDEX notices_created_at_idx ON notices (created_at);

-- A link in a letter, for one use. Of its token only the SHA-256 is kept.
CREATE TABLE mail_links (
    id         uuid PRIMARY KEY,
    kind       text NOT NULL,
    user_id    uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    notice_id  uuid NOT NULL REFERENCES notices (id) ON DELETE CASCADE,
    token_hash bytea NOT NULL CONSTRAINT mail_links_token_hash_key UNIQUE CHECK (length(token_hash) = 32),
    bound      bytea CHECK (length(bound) = 32), -- SHA-256 of the password hash as it was, for links that a new one voids
    address    text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    CONSTRAINT mail_links_notice_key UNIQUE (notice_id, kind)
);

CREATE INDEX mail_links_user_id_idx ON mail_links (user_id);
CREATE INDEX mail_links_expires_at_idx ON mail_links (expires_at);

-- "This wasn't me": the account's owner denied a fact. Nothing is added before frozen_until, the password is distrusted since
-- the fact, and what it added is set aside: a quarantined factor counts as none, and its owner may remove it.
ALTER TABLE users
    ADD COLUMN frozen_at timestamptz, -- the last freeze began
    ADD COLUMN frozen_until timestamptz,
    ADD COLUMN password_distrusted_at timestamptz,
    ADD COLUMN freeze_lifted_at timestamptz; -- the owner last proved themselves by a factor older than the fact
ALTER TABLE passkeys ADD COLUMN quarantined_at timestamptz;
ALTER TABLE totp ADD COLUMN quarantined_at timestamptz;
ALTER TABLE faces ADD COLUMN quarantined_at timestamptz; -- disabled_at is set with it
