-- Where facts are told by HTTP, signed. An endpoint that is disabled is told nothing, and has nothing waiting.
CREATE TABLE webhook_endpoints (
    id          uuid PRIMARY KEY,
    url         text NOT NULL,
    description text NOT NULL,
    types       text[] NOT NULL, -- of the events that it is told; empty for all
    created_at  timestamptz NOT NULL,
    disabled_at timestamptz
);

-- What deliveries are signed by: the newest, and until it expires the one before.
CREATE TABLE webhook_secrets (
    id          uuid PRIMARY KEY,
    endpoint_id uuid NOT NULL REFERENCES webhook_endpoints (id) ON DELETE CASCADE,
    secret      bytea NOT NULL, -- sealed
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz
);

CREATE INDEX webhook_secrets_endpoint_id_idx ON webhook_secrets (endpoint_id);

-- One event for one endpoint, written in the transaction of its fact. It waits until it is delivered, or dead.
CREATE TABLE webhook_deliveries (
    id           uuid PRIMARY KEY,
    -- the order in a lane: deliveries of one endpoint and user go out one after another
    number       bigint GENERATED ALWAYS AS IDENTITY,
    endpoint_id  uuid NOT NULL REFERENCES webhook_endpoints (id) ON DELETE CASCADE,
    event_id     uuid NOT NULL, -- the fact's row in events
    user_id      uuid REFERENCES users (id) ON DELETE CASCADE,
    type         text NOT NULL,
    payload      json NOT NULL,
    created_at   timestamptz NOT NULL,
    attempts     integer NOT NULL DEFAULT 0,
    next_at      timestamptz NOT NULL, -- not before; while an attempt is under way, when it has surely ended
    delivered_at timestamptz,
    dead_at      timestamptz, -- given up
    last_status  integer,
    last_error   text
);

CREATE INDEX webhook_deliveries_endpoint_id_idx ON webhook_deliveries (endpoint_id, number);
CREATE INDEX webhook_deliveries_user_id_idx ON webhook_deliveries (user_id);
CREATE INDEX webhook_deliveries_waiting_idx ON webhook_deliveries (endpoint_id, user_id, number) WHERE delivered_at IS NULL AND dead_at IS NULL;
CREATE INDEX webhook_deliveries_delivered_at_idx ON webhook_deliveries (delivered_at);
CREATE INDEX webhook_deliveries_dead_at_idx ON webhook_deliveries (dead_at);
