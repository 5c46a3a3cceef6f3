-- 009_idempotency_keys: requests that may be repeated, by the key that the caller gave them. A row has what the first answer
-- had beyond the request, and nothing of its content.

CREATE TABLE idempotency_keys (
    domain     TEXT    NOT NULL CHECK (domain <> ''),                                  -- no domain learns another's keys (I8)
    key        TEXT    NOT NULL CHECK (length(CAST(key AS BLOB)) BETWEEN 1 AND 128),
    verb       TEXT    NOT NULL CHECK (verb IN ('begin', 'append')),
    digest     BLOB    CHECK (length(digest) = 32),                                    -- SHA-256 of the request; NULL: see below
    episode_id TEXT    NOT NULL,
    answer     TEXT    NOT NULL DEFAULT '[]' CHECK (json_valid(answer)),               -- of steps: [[id, number, timestamp], ...]
    created_at INTEGER NOT NULL,
    PRIMARY KEY (domain, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_keys_by_age     ON idempotency_keys (created_at);             -- the oldest, to be pruned
CREATE INDEX idempotency_keys_by_episode ON idempotency_keys (episode_id);             -- the keys of an episode

-- When the episode is deleted, replaced or moved to another domain, its keys stay, so that a request that comes again does not
-- write what somebody deleted; digest and answer go, so that nothing is left of what was deleted.

CREATE TRIGGER idempotency_keys_delete AFTER DELETE ON episodes
WHEN EXISTS (SELECT 1 FROM idempotency_keys WHERE episode_id = OLD.id) BEGIN
    UPDATE idempotency_keys SET digest = NULL, answer = '[]' WHERE episode_id = OLD.id;
END;

CREATE TRIGGER idempotency_keys_move AFTER UPDATE OF domain ON episodes WHEN OLD.domain IS NOT NEW.domain BEGIN
    UPDATE idempotency_keys SET digest = NULL, answer = '[]' WHERE episode_id = OLD.id;
END;

-- INSERT OR REPLACE fires no delete trigger; 003 and 006 set the rows aside that it removes.
CREATE TRIGGER idempotency_keys_replace AFTER INSERT ON episodes WHEN EXISTS (SELECT 1 FROM episodes_replaced) BEGIN
    UPDATE idempotency_keys SET digest = NULL, answer = '[]'
        WHERE episode_id IN (SELECT id FROM episodes_replaced);
END;
