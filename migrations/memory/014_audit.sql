-- 014_audit: who wrote what, and when, in a chain of records that shows what is changed in it.

-- A record is written in the transaction that it is of. It names what it is of by keyed digests (HMAC-SHA256 with store.digest_key),
-- so that an erasure leaves nothing of content here and changes no record. `digest` is SHA-256, without a key, over all other
-- columns, and `previous` is that of the record before: 32 zero bytes for the first one.
CREATE TABLE audit (
    number   INTEGER PRIMARY KEY CHECK (number > 0),
    at       INTEGER NOT NULL,
    actor    TEXT    NOT NULL CHECK (length(CAST(actor AS BLOB)) BETWEEN 1 AND 128),
    verb     TEXT    NOT NULL CHECK (verb <> ''),
    domain   BLOB    CHECK (length(domain) = 32),       -- digest of its name; NULL: not of one domain alone
    counts   TEXT    NOT NULL CHECK (json_valid(counts)),  -- {"steps": n, ...}
    subjects BLOB    NOT NULL,                          -- digests of ids and of rows, one entry after the other
    previous BLOB    NOT NULL CHECK (length(previous) = 32),
    digest   BLOB    NOT NULL CHECK (length(digest) = 32)
) STRICT;

CREATE INDEX audit_by_domain ON audit (domain) WHERE domain IS NOT NULL;  -- the records of a domain, by number

-- Against mistakes: who drops the triggers is found by the chain.
CREATE TRIGGER audit_keeps_its_records BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'a record of the audit never changes'); END;

CREATE TRIGGER audit_loses_no_record BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'a record of the audit is never removed'); END;
