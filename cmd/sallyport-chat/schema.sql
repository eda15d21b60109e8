-- The chat's own records. Nothing here is a password: people are known by the issuer's "sub".
CREATE SCHEMA IF NOT EXISTS sample_chat;

CREATE TABLE IF NOT EXISTS sample_chat.users (
    sub   text PRIMARY KEY,
    name  text NOT NULL,
    since timestamptz NOT NULL DEFAULT now()
);

-- A sign-in on its way: what the answer is held to, and the browser that it belongs to.
CREATE TABLE IF NOT EXISTS sample_chat.sign_ins (
    state_hash   bytea PRIMARY KEY,
    browser_hash bytea NOT NULL,
    verifier     text NOT NULL,
    nonce        text NOT NULL,
    leads_to     text NOT NULL,
    act          text NOT NULL, -- what it is to allow; empty for a sign-in alone
    begun_at     timestamptz NOT NULL,
    ends_at      timestamptz NOT NULL
);

-- sid is the issuer's session, by which it tells us that it is over.
CREATE TABLE IF NOT EXISTS sample_chat.sessions (
    token_hash bytea PRIMARY KEY,
    sub        text NOT NULL REFERENCES sample_chat.users (sub) ON DELETE CASCADE,
    sid        text NOT NULL,
    acr        text NOT NULL,
    auth_time  timestamptz NOT NULL,
    moderator  boolean NOT NULL,
    id_token   text NOT NULL, -- the hint to sign out by
    act        text NOT NULL, -- what a fresh sign-in allowed, once
    act_ends   timestamptz NOT NULL,
    ends_at    timestamptz NOT NULL
);

CREATE INDEX IF NOT EXISTS sessions_sid_idx ON sample_chat.sessions (sid);
CREATE INDEX IF NOT EXISTS sessions_sub_idx ON sample_chat.sessions (sub);

-- Logout tokens that came, each once.
CREATE TABLE IF NOT EXISTS sample_chat.logouts (
    jti     text PRIMARY KEY,
    ends_at timestamptz NOT NULL
);

CREATE TABLE IF NOT EXISTS sample_chat.rooms (
    id      uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name    text NOT NULL,
    made_by text NOT NULL REFERENCES sample_chat.users (sub) ON DELETE CASCADE,
    made_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS sample_chat.messages (
    id      bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    room_id uuid NOT NULL REFERENCES sample_chat.rooms (id) ON DELETE CASCADE,
    sub     text NOT NULL REFERENCES sample_chat.users (sub) ON DELETE CASCADE,
    body    text NOT NULL,
    at      timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX IF NOT EXISTS messages_room_idx ON sample_chat.messages (room_id, id);
