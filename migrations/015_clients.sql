-- Apps that sign people in here, or ask for a second factor alone: OAuth clients. settings is models.App, checked before it is
-- written; managed says who keeps it, so that a file and people don't undo each other's work.
CREATE TABLE clients (
    id         text PRIMARY KEY,
    settings   jsonb NOT NULL,
    managed    text NOT NULL CHECK (managed IN ('hand', 'file')),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

-- 32 random bytes each. After a rotation the older one lives on until expires_at.
CREATE TABLE client_secrets (
    id          uuid PRIMARY KEY,
    client_id   text NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    secret_hash bytea NOT NULL CHECK (length(secret_hash) = 32),
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz,
    CONSTRAINT client_secrets_key UNIQUE (client_id, secret_hash)
);

-- What apps are told of a person beside who they are; what a group may do is each app's business.
CREATE TABLE user_groups (
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name    text NOT NULL,
    PRIMARY KEY (user_id, name)
);

CREATE INDEX user_groups_name_idx ON user_groups (name);
