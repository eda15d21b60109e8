-- Somebody who can't sign in asked for a letter. The row is the same whether the address is anybody's or not, and a job that
-- holds its id answers and removes it: so neither words nor time tell which it was.
CREATE TABLE letter_requests (
    id              uuid PRIMARY KEY,
    email_canonical text NOT NULL,
    ip              text NOT NULL,
    user_agent      text NOT NULL,
    created_at      timestamptz NOT NULL
);

CREATE INDEX letter_requests_created_at_idx ON letter_requests (created_at);

-- A session that a letter's link opened, past the second factor: it may choose a new password, and nothing else.
ALTER TABLE sessions
    DROP CONSTRAINT sessions_state_check,
    ADD CONSTRAINT sessions_state_check
        CHECK (state IN ('second_factor_required', 'enrolment_required', 'recovering', 'resetting', 'authenticated'));
