-- Accounts that were brought along from elsewhere keep the hash that they came with until their first sign-in.
ALTER TABLE users
    DROP CONSTRAINT users_password_hash_check,
    ADD CONSTRAINT users_password_hash_check
        CHECK (password_hash ~ '^(\$argon2id?\$|\$2[aby]\$|\$scrypt\$|\$pbkdf2(-sha(1|256|512))?\$|pbkdf2_sha(1|256)\$)'),
    -- when the account was imported; null for one that was registered here
    ADD COLUMN imported_at timestamptz,
    -- what the account is called where it came from: a second import finds it by this
    ADD COLUMN external_id text CONSTRAINT users_external_id_key UNIQUE CHECK (length(external_id) BETWEEN 1 AND 255);
