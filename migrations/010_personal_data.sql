-- The audit log by months (UTC), so that what is older than the retention goes by dropping a table. A month's table is made
-- ahead by a job; what none is there for lands in events_default, so that no fact is ever refused for want of one.
ALTER TABLE events RENAME TO events_whole;
ALTER TABLE events_whole RENAME CONSTRAINT events_pkey TO events_whole_pkey;
ALTER INDEX events_user_id_idx RENAME TO events_whole_user_id_idx;

CREATE TABLE events (
    id             uuid NOT NULL,
    at             timestamptz NOT NULL,
    user_id        uuid REFERENCES users (id) ON DELETE SET NULL,
    session_id     uuid,
    fact           text NOT NULL,
    detail         jsonb NOT NULL DEFAULT '{}',
    policy_version text NOT NULL,
    ip             text NOT NULL,
    user_agent     text NOT NULL DEFAULT '',
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);

CREATE INDEX events_user_id_idx ON events (user_id, id);
CREATE TABLE events_default PARTITION OF events DEFAULT;

DO $$
DECLARE
    month timestamp := date_trunc('month', LEAST((SELECT min(at) FROM events_whole), now()) AT TIME ZONE 'UTC');
BEGIN
    WHILE month <= (now() AT TIME ZONE 'UTC') + interval '2 months' LOOP
        EXECUTE format('CREATE TABLE %I PARTITION OF events FOR VALUES FROM (%L) TO (%L)', to_char(month, '"events_"YYYY_MM'),
            month AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC');
        month := month + interval '1 month';
    END LOOP;
END $$;

INSERT INTO events (id, at, user_id, session_id, fact, detail, policy_version, ip)
SELECT id, at, user_id, session_id, fact, detail, policy_version, ip
FROM events_whole;

DROP TABLE events_whole;

-- An account that is to be deleted goes at this time, unless its owner takes that back.
ALTER TABLE users ADD COLUMN deletion_due_at timestamptz;

CREATE INDEX users_deletion_due_at_idx ON users (deletion_due_at) WHERE deletion_due_at IS NOT NULL;
