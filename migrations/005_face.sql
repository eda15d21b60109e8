-- The face factor of an account: what is counted of it, and since when nobody used it. The row stands as long as its
-- templates do.
CREATE TABLE faces (
    user_id           uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    enrolled_at       timestamptz NOT NULL,
    last_used_at      timestamptz NOT NULL,
    -- NIST SP 800-63B-4 section 3.2.3: failures in a row, then a wait between tries, then the factor is disabled
    failures          integer NOT NULL DEFAULT 0,
    next_try_at       timestamptz,
    disabled_at       timestamptz,
    -- when its owner was told that unused templates will be erased
    purge_notified_at timestamptz
);

CREATE INDEX faces_last_used_at_idx ON faces (last_used_at);

-- One sitting before a camera. Templates are dated by it; the oldest goes when one more comes.
CREATE TABLE face_captures (
    id         uuid PRIMARY KEY,
    user_id    uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    model_key  text NOT NULL, -- templates compare with probes of the same model alone
    model      text NOT NULL, -- by name, for people
    network    bytea NOT NULL, -- keyed digest of the network it came from: a cap when a cohort is drawn
    created_at timestamptz NOT NULL
);

CREATE INDEX face_captures_user_id_idx ON face_captures (user_id);

-- What was enrolled before liveness was checked may be a photograph, and was sealed to less than it is now: its owners
-- enrol anew, by another factor or a recovery code, which every account with a face has.
DELETE FROM face_templates;

ALTER TABLE face_templates
    ADD COLUMN capture_id uuid NOT NULL REFERENCES face_captures (id) ON DELETE CASCADE,
    ADD COLUMN pose text NOT NULL DEFAULT 'straight' CHECK (pose IN ('straight', 'left', 'right')),
    DROP COLUMN model_key, -- is the capture's
    DROP COLUMN created_at;

CREATE INDEX face_templates_capture_id_idx ON face_templates (capture_id);

-- The ledger of what was agreed to and when it was withdrawn. Rows are never changed but by a withdrawal.
ALTER TABLE face_consents
    ADD COLUMN kind text NOT NULL DEFAULT 'face' CHECK (kind IN ('face', 'cohort')),
    ADD COLUMN language text NOT NULL DEFAULT 'en',
    ADD COLUMN text_sha256 bytea; -- of the text that was shown; null for what was given before it was kept

-- The camera's end: a key that a browser made and can't hand out. It proves that the same browser is back.
CREATE TABLE device_keys (
    id           uuid PRIMARY KEY,
    user_id      uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name         text NOT NULL,
    public_key   bytea NOT NULL, -- SubjectPublicKeyInfo (RFC 5280), P-256
    thumbprint   text NOT NULL, -- base64url of its SHA-256
    created_at   timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    CONSTRAINT device_keys_thumbprint_key UNIQUE (user_id, thumbprint)
);

-- A face challenge is opened once, by one socket, and what came of it waits, sealed, for the one request that takes it.
ALTER TABLE challenges
    ADD COLUMN opened_at timestamptz,
    ADD COLUMN capture bytea;

-- A cohort is a sample of the installation's own templates, by which scores are normalised. A member is found again by a
-- keyed digest of its owner, so that withdrawing consent erases it in the same transaction.
CREATE TABLE face_cohorts (
    id           uuid PRIMARY KEY,
    version      integer GENERATED ALWAYS AS IDENTITY CONSTRAINT face_cohorts_version_key UNIQUE,
    model_key    text NOT NULL,
    fusion       text NOT NULL,
    k            integer NOT NULL CHECK (k > 0),
    -- what the reference set showed, at the threshold that this cohort may be used with
    threshold    double precision NOT NULL,
    bound        double precision NOT NULL,
    report       jsonb NOT NULL,
    refused      text NOT NULL DEFAULT '', -- why it may not become active
    created_at   timestamptz NOT NULL,
    activated_at timestamptz,
    retired_at   timestamptz
);

CREATE UNIQUE INDEX face_cohorts_active_key ON face_cohorts (model_key) WHERE activated_at IS NOT NULL AND retired_at IS NULL;

CREATE TABLE face_cohort_members (
    id           uuid PRIMARY KEY,
    cohort_id    uuid NOT NULL REFERENCES face_cohorts (id) ON DELETE CASCADE,
    owner        bytea NOT NULL, -- sealed account id
    owner_digest bytea NOT NULL,
    descriptor   bytea NOT NULL -- sealed, 128 little-endian float32
);

CREATE INDEX face_cohort_members_cohort_id_idx ON face_cohort_members (cohort_id);
CREATE INDEX face_cohort_members_owner_idx ON face_cohort_members (owner_digest);

-- Labelled people who lend their faces for measuring: a new cohort is tried on them before it becomes active.
CREATE TABLE face_references (
    id         uuid PRIMARY KEY,
    subject    text NOT NULL,
    people     text NOT NULL DEFAULT '', -- the group that the subject is counted with
    model_key  text NOT NULL,
    position   int NOT NULL, -- in the set that was imported: of a subject the first are templates, the next probes
    descriptor bytea NOT NULL, -- sealed
    created_at timestamptz NOT NULL
);

-- An account can't go while a consent stands: its member in a cohort is found by a keyed digest, which no cascade follows.
-- Whoever deletes accounts withdraws first, in the same transaction (Store.eraseFace).
CREATE FUNCTION users_withdraw_first() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM face_consents WHERE user_id = OLD.id AND withdrawn_at IS NULL) THEN
        RAISE EXCEPTION 'account % has a consent that stands: erase its face first', OLD.id;
    END IF;
    RETURN OLD;
END $$;

CREATE TRIGGER users_withdraw_first BEFORE DELETE ON users
    FOR EACH ROW EXECUTE FUNCTION users_withdraw_first();
