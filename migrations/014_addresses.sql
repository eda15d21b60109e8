-- Whose an address is. email_canonical is the address as it is looked up and reserved, and null until it is the account's: an
-- address that has to be proven first is nobody's. Accounts that are here have theirs.
ALTER TABLE users
    ALTER COLUMN email_canonical DROP NOT NULL,
    -- A registration whose address was not proven by then goes. Until it is proven there is no account.
    ADD COLUMN unconfirmed_until timestamptz,
    -- Proven as well, and told of what happens to the account: never looked up, and reserved by nobody.
    ADD COLUMN second_email text,
    ADD COLUMN second_email_canonical text,
    ADD COLUMN second_email_at timestamptz;

CREATE INDEX users_unconfirmed_until_idx ON users (unconfirmed_until) WHERE unconfirmed_until IS NOT NULL;

-- Somebody says that an address is theirs, and is sent a link to it that proves it: one claim of a kind for each account, the
-- newest. It is the same whether the address is free or taken; a job that holds its id finds out whom to write to.
CREATE TABLE address_claims (
    id              uuid NOT NULL CONSTRAINT address_claims_id_key UNIQUE,
    user_id         uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind            text NOT NULL, -- of the link that proves it
    email           text NOT NULL,
    email_canonical text NOT NULL,
    ip              text NOT NULL,
    user_agent      text NOT NULL,
    created_at      timestamptz NOT NULL,
    PRIMARY KEY (user_id, kind)
);

CREATE INDEX address_claims_created_at_idx ON address_claims (created_at);

-- The address that an account had before a change: for some days nobody else may have it, and it can be restored.
CREATE TABLE former_addresses (
    event_id        uuid PRIMARY KEY, -- the fact's row in events
    user_id         uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    email           text NOT NULL,
    email_canonical text NOT NULL,
    email_verified  boolean NOT NULL,
    changed_at      timestamptz NOT NULL
);

CREATE INDEX former_addresses_user_id_idx ON former_addresses (user_id, changed_at);
CREATE INDEX former_addresses_email_idx ON former_addresses (email_canonical, changed_at);
CREATE INDEX former_addresses_changed_at_idx ON former_addresses (changed_at);
