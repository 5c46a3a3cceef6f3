-- 011_operations: settings of the store, receipts of erasures, what maintenance did last, and figures of the cache by the hour.

-- Keys the digests in receipts (HMAC-SHA256), so that nobody can test an id against a receipt without the store. A copy has the
-- key of its original.
ALTER TABLE store ADD COLUMN digest_key BLOB CHECK (length(digest_key) = 32);
UPDATE store SET digest_key = randomblob(32);

CREATE TABLE settings (
    name       TEXT    NOT NULL PRIMARY KEY CHECK (name <> ''),
    value      TEXT    NOT NULL CHECK (json_valid(value)),
    changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What was erased, without its content: how many of which kind, and when.
CREATE TABLE erasures (
    seq        INTEGER PRIMARY KEY,                                                     -- in the order of the commits, whatever the clock says
    id         TEXT    NOT NULL UNIQUE CHECK (length(CAST(id AS BLOB)) BETWEEN 1 AND 128),
    selection  TEXT    NOT NULL CHECK (json_valid(selection)),                          -- by what it was chosen; values as digests
    counts     TEXT    NOT NULL CHECK (json_valid(counts)),                             -- {"episodes": n, "steps": n, ...}
    erased_at  INTEGER NOT NULL,
    cleaned_at INTEGER,                                                                 -- NULL: traces may be left in the files
    backups    TEXT    NOT NULL DEFAULT '[]' CHECK (json_valid(backups))                -- names of copies that may still hold it
) STRICT;

CREATE INDEX erasures_unfinished ON erasures (seq) WHERE cleaned_at IS NULL;            -- what is left to clean

-- Each thing that was erased, by the keyed digest of its id. Steps, embeddings and links went with their episode.
CREATE TABLE erased (
    digest  BLOB    NOT NULL CHECK (length(digest) = 32),
    kind    TEXT    NOT NULL CHECK (kind IN ('episode', 'pattern', 'idempotency_key', 'orphan')),
    erasure INTEGER NOT NULL REFERENCES erasures (seq) ON DELETE CASCADE,
    PRIMARY KEY (digest, kind, erasure)
) STRICT, WITHOUT ROWID;

CREATE INDEX erased_by_erasure ON erased (erasure);                                     -- the digests of a receipt

-- The feed names nothing that was erased: the digest stands in place of the key, which is ''.
ALTER TABLE changes ADD COLUMN erased BLOB CHECK (length(erased) = 32);

-- Takes free pages up while they are overwritten with zeros; otherwise empty.
CREATE TABLE overwritten_pages (seq INTEGER PRIMARY KEY, zeros BLOB NOT NULL) STRICT;

-- When each task of maintenance ran last.
CREATE TABLE maintenance (
    task        TEXT    NOT NULL PRIMARY KEY CHECK (task <> ''),
    started_at  INTEGER NOT NULL,
    finished_at INTEGER,                                                                -- NULL: it runs, or was cut short
    outcome     TEXT    CHECK (outcome IS NULL OR json_valid(outcome))
) STRICT, WITHOUT ROWID;

-- What the cache answered in each hour since 1970, over all processes.
CREATE TABLE cache_hours (
    hour    INTEGER NOT NULL,
    kind    TEXT    NOT NULL CHECK (kind IN ('episode', 'pattern', 'query')),
    hits    INTEGER NOT NULL CHECK (hits >= 0),
    misses  INTEGER NOT NULL CHECK (misses >= 0),
    PRIMARY KEY (hour, kind)
) STRICT, WITHOUT ROWID;
