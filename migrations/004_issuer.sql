-- Recovery codes that are issued before the account has a second factor belong to
-- the session that asked for them: whoever else knows the password must not be
-- able to leave a set behind for later.
ALTER TABLE recovery_codes ADD COLUMN issued_by uuid;
ALTER TABLE recovery_codes
    DROP CONSTRAINT recovery_codes_row_key,
    ADD CONSTRAINT recovery_codes_row_key UNIQUE NULLS NOT DISTINCT (user_id, issued_by, row_number);

-- Only the newest challenge of a purpose counts, also when two are asked for at once.
DELETE FROM challenges;
DROP INDEX challenges_session_id_idx, challenges_binding_hash_idx;
ALTER TABLE challenges
    ADD CONSTRAINT challenges_session_key UNIQUE (session_id, purpose),
    ADD CONSTRAINT challenges_binding_key UNIQUE (binding_hash, purpose);
