-- A step-up is asked for one purpose and one object, gathers what is proven for it, and is used up with the write that it
-- allows. Of each purpose only a session's newest counts.
CREATE TABLE step_ups (
    id          uuid PRIMARY KEY,
    session_id  uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    purpose     text NOT NULL,
    object_hash bytea NOT NULL CHECK (length(object_hash) = 32),
    methods     jsonb NOT NULL DEFAULT '[]',
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    CONSTRAINT step_ups_session_key UNIQUE (session_id, purpose),
    CONSTRAINT step_ups_challenges_key UNIQUE (id, session_id)
);

CREATE INDEX step_ups_expires_at_idx ON step_ups (expires_at);

-- A challenge that is answered for a step-up of its session, and goes with it.
ALTER TABLE challenges
    ADD COLUMN step_up_id uuid,
    ADD CONSTRAINT challenges_step_up_id_fkey FOREIGN KEY (step_up_id, session_id) REFERENCES step_ups (id, session_id) ON DELETE CASCADE;

CREATE INDEX challenges_step_up_id_idx ON challenges (step_up_id);
