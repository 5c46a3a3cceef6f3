-- 007_patterns_and_filters: a pattern belongs to a domain or is shared by all; patterns are found by the words of their
-- data, episodes by their steps; domains and sessions are listed by index.

-- Steps: the filter of an episode by its steps. Both cover their queries.

CREATE INDEX steps_by_tool ON steps (tool, episode_id, success)                  -- steps of a tool; those of an episode
    WHERE tool IS NOT NULL;
CREATE INDEX steps_failed ON steps (episode_id, tool, success)                   -- failed steps; those of an episode
    WHERE success = 0;

-- Episodes: what there is.

CREATE INDEX episodes_by_domain_and_status ON episodes (domain, status, created_at);        -- counts of a domain
CREATE INDEX episodes_by_domain_and_completion ON episodes (domain, completed_at)           -- the last to end in a domain
    WHERE completed_at IS NOT NULL;
CREATE INDEX episodes_by_domain_and_session ON episodes (domain, session, created_at)       -- the sessions of a domain
    WHERE session IS NOT NULL;

-- Patterns: the same data is one pattern in each domain, and one that all share. Before, it was one for all: a domain that
-- recorded it saw what another had noted of it (I8). What is there stays shared.
--
-- The table is made again, because its UNIQUE constraint grows by the domain. Dropping it deletes its rows, and foreign keys
-- would take the links with them: both are set aside. Links without an owner, which could not be put back, go first.

DELETE FROM orphans;
CREATE TABLE patterns_kept AS SELECT * FROM patterns;
CREATE TABLE episode_patterns_kept AS SELECT * FROM episode_patterns;
DELETE FROM episode_patterns;
DROP TABLE patterns;

CREATE TABLE patterns (
    seq          INTEGER PRIMARY KEY CHECK (seq > 0),
    id           TEXT    NOT NULL UNIQUE CHECK (length(CAST(id AS BLOB)) BETWEEN 1 AND 128),
    domain       TEXT    NOT NULL DEFAULT '',                      -- '': shared by all (I8)
    pattern_type TEXT    NOT NULL CHECK (pattern_type <> ''),
    pattern_data TEXT    NOT NULL CHECK (json_valid(pattern_data)),
    data_hash    TEXT    NOT NULL CHECK (length(data_hash) = 64),  -- SHA-256, hex, over canonical JSON
    success_rate REAL    CHECK (success_rate BETWEEN 0 AND 1),
    usage_count  INTEGER NOT NULL DEFAULT 0 CHECK (usage_count >= 0),
    last_used    INTEGER,
    created_at   INTEGER NOT NULL,
    metadata     TEXT    NOT NULL DEFAULT '{}'
                         CHECK (json_valid(metadata) AND json_type(metadata) = 'object'),
    UNIQUE (pattern_type, data_hash, domain)                       -- the same data twice is one pattern
) STRICT;

INSERT INTO patterns (seq, id, pattern_type, pattern_data, data_hash, success_rate, usage_count, last_used, created_at,
        metadata)
    SELECT seq, id, pattern_type, pattern_data, data_hash, success_rate, usage_count, last_used, created_at, metadata
    FROM patterns_kept;
INSERT INTO episode_patterns (episode_id, pattern_id) SELECT episode_id, pattern_id FROM episode_patterns_kept;
DROP TABLE patterns_kept;
DROP TABLE episode_patterns_kept;

CREATE INDEX patterns_by_success ON patterns (pattern_type, success_rate);  -- patterns of a type, best first
CREATE INDEX patterns_by_usage   ON patterns (usage_count);                 -- patterns, most used first
CREATE INDEX patterns_by_domain  ON patterns (domain);                      -- patterns of a domain

CREATE TRIGGER patterns_keep_their_id BEFORE UPDATE OF seq, id, domain, pattern_type, data_hash ON patterns
WHEN NEW.seq IS NOT OLD.seq OR NEW.id IS NOT OLD.id OR NEW.domain IS NOT OLD.domain
  OR NEW.pattern_type IS NOT OLD.pattern_type OR NEW.data_hash IS NOT OLD.data_hash
BEGIN SELECT RAISE(ABORT, 'the id, domain, type and hash of a pattern never change'); END;

-- As in 006: rows that an insert may remove are set aside; what belongs to them goes when it has.

CREATE TRIGGER patterns_replaced_before_insert BEFORE INSERT ON patterns BEGIN
    DELETE FROM patterns_replaced;
    INSERT INTO patterns_replaced (seq, id)
        SELECT seq, id FROM patterns
        WHERE seq = NEW.seq OR id = NEW.id
           OR (pattern_type = NEW.pattern_type AND data_hash = NEW.data_hash AND domain = NEW.domain);
END;

CREATE TRIGGER patterns_replace AFTER INSERT ON patterns WHEN EXISTS (SELECT 1 FROM patterns_replaced) BEGIN
    DELETE FROM episode_patterns WHERE pattern_id IN (SELECT id FROM patterns_replaced);
END;

CREATE TRIGGER patterns_replaced_delete AFTER DELETE ON patterns BEGIN
    DELETE FROM patterns_replaced WHERE seq = OLD.seq;
END;

-- Words of the data, derived from it: names of members, and values but true, false and null, one a line. A table, because
-- full text can read no view of json_tree; and it still has the words of a row that is gone, which full text asks for.

CREATE TABLE patterns_words (seq INTEGER PRIMARY KEY, words TEXT NOT NULL) STRICT;

INSERT INTO patterns_words (seq, words)
    SELECT p.seq, group_concat(iif(typeof(t.key) = 'text', t.key || ' ', '')
                               || iif(t.type IN ('text', 'integer', 'real'), t.atom, ''), char(10))
    FROM patterns p, json_tree(iif(json_valid(p.pattern_data), p.pattern_data, '[]')) t GROUP BY p.seq;

CREATE VIRTUAL TABLE patterns_text USING fts5 (
    words,
    content = 'patterns_words', content_rowid = 'seq', tokenize = 'porter unicode61 remove_diacritics 2'
);

INSERT INTO patterns_text (patterns_text) VALUES ('rebuild');

CREATE TRIGGER patterns_text_insert AFTER INSERT ON patterns BEGIN
    INSERT INTO patterns_text (patterns_text, rowid, words)
        SELECT 'delete', seq, words FROM patterns_words
        WHERE seq = NEW.seq OR seq IN (SELECT seq FROM patterns_replaced);
    DELETE FROM patterns_words WHERE seq = NEW.seq OR seq IN (SELECT seq FROM patterns_replaced);
    INSERT INTO patterns_words (seq, words)
        SELECT NEW.seq, group_concat(iif(typeof(key) = 'text', key || ' ', '')
                                     || iif(type IN ('text', 'integer', 'real'), atom, ''), char(10))
        FROM json_tree(iif(json_valid(NEW.pattern_data), NEW.pattern_data, '[]'));
    INSERT INTO patterns_text (rowid, words) SELECT seq, words FROM patterns_words WHERE seq = NEW.seq;
END;

CREATE TRIGGER patterns_text_update AFTER UPDATE OF pattern_data ON patterns
WHEN NEW.pattern_data IS NOT OLD.pattern_data BEGIN
    INSERT INTO patterns_text (patterns_text, rowid, words)
        SELECT 'delete', seq, words FROM patterns_words WHERE seq = NEW.seq;
    DELETE FROM patterns_words WHERE seq = NEW.seq;
    INSERT INTO patterns_words (seq, words)
        SELECT NEW.seq, group_concat(iif(typeof(key) = 'text', key || ' ', '')
                                     || iif(type IN ('text', 'integer', 'real'), atom, ''), char(10))
        FROM json_tree(iif(json_valid(NEW.pattern_data), NEW.pattern_data, '[]'));
    INSERT INTO patterns_text (rowid, words) SELECT seq, words FROM patterns_words WHERE seq = NEW.seq;
END;

CREATE TRIGGER patterns_text_delete AFTER DELETE ON patterns BEGIN
    INSERT INTO patterns_text (patterns_text, rowid, words)
        SELECT 'delete', seq, words FROM patterns_words WHERE seq = OLD.seq;
    DELETE FROM patterns_words WHERE seq = OLD.seq;
END;

-- Links: a domain's pattern belongs to episodes of its domain only, also when an episode moves.

CREATE TRIGGER patterns_take_along_insert AFTER INSERT ON patterns
WHEN EXISTS (SELECT 1 FROM episode_patterns WHERE pattern_id = NEW.id) BEGIN
    DELETE FROM episode_patterns WHERE pattern_id = NEW.id;
END;

CREATE TRIGGER patterns_take_along_delete AFTER DELETE ON patterns BEGIN
    DELETE FROM episode_patterns WHERE pattern_id = OLD.id;
END;

CREATE TRIGGER episode_patterns_stay_in_domain_insert BEFORE INSERT ON episode_patterns
WHEN EXISTS (SELECT 1 FROM patterns p JOIN episodes e ON e.id = NEW.episode_id
             WHERE p.id = NEW.pattern_id AND p.domain <> '' AND p.domain <> e.domain)
BEGIN SELECT RAISE(ABORT, 'a pattern of a domain is linked to episodes of that domain only'); END;

CREATE TRIGGER episode_patterns_stay_in_domain_update BEFORE UPDATE ON episode_patterns
WHEN EXISTS (SELECT 1 FROM patterns p JOIN episodes e ON e.id = NEW.episode_id
             WHERE p.id = NEW.pattern_id AND p.domain <> '' AND p.domain <> e.domain)
BEGIN SELECT RAISE(ABORT, 'a pattern of a domain is linked to episodes of that domain only'); END;

CREATE TRIGGER episode_patterns_stay_in_domain_move AFTER UPDATE OF domain ON episodes WHEN OLD.domain IS NOT NEW.domain
BEGIN
    DELETE FROM episode_patterns WHERE episode_id = NEW.id
        AND pattern_id IN (SELECT id FROM patterns WHERE domain <> '' AND domain <> NEW.domain);
END;

-- The feed: the key of a shared pattern is type:hash, that of a domain's type:hash:domain.

CREATE TRIGGER patterns_changes_before_insert BEFORE INSERT ON patterns
WHEN EXISTS (SELECT 1 FROM patterns WHERE seq = NEW.seq OR id = NEW.id
                OR (pattern_type = NEW.pattern_type AND data_hash = NEW.data_hash AND domain = NEW.domain)) BEGIN
    INSERT INTO changes (subject, key, domain)
        SELECT 'pattern', pattern_type || ':' || data_hash || iif(domain = '', '', ':' || domain), nullif(domain, '')
        FROM patterns
        WHERE seq = NEW.seq OR id = NEW.id
           OR (pattern_type = NEW.pattern_type AND data_hash = NEW.data_hash AND domain = NEW.domain);
END;

CREATE TRIGGER patterns_changes_insert AFTER INSERT ON patterns BEGIN
    INSERT INTO changes (subject, key, domain)
        VALUES ('pattern', NEW.pattern_type || ':' || NEW.data_hash || iif(NEW.domain = '', '', ':' || NEW.domain),
                nullif(NEW.domain, ''));
END;

CREATE TRIGGER patterns_changes_update AFTER UPDATE ON patterns BEGIN
    INSERT INTO changes (subject, key, domain)
        VALUES ('pattern', NEW.pattern_type || ':' || NEW.data_hash || iif(NEW.domain = '', '', ':' || NEW.domain),
                nullif(NEW.domain, ''));
END;

CREATE TRIGGER patterns_changes_delete AFTER DELETE ON patterns BEGIN
    INSERT INTO changes (subject, key, domain)
        VALUES ('pattern', OLD.pattern_type || ':' || OLD.data_hash || iif(OLD.domain = '', '', ':' || OLD.domain),
                nullif(OLD.domain, ''));
END;
