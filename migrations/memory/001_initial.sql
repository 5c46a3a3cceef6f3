-- 001_initial: episodes, their steps, patterns. Times are milliseconds since 1970, UTC, written by the engine.

CREATE TABLE episodes (
    seq          INTEGER PRIMARY KEY CHECK (seq > 0),        -- stable rowid: what full-text search points at
    id           TEXT    NOT NULL UNIQUE CHECK (length(CAST(id AS BLOB)) BETWEEN 1 AND 128),
    task_type    TEXT    NOT NULL CHECK (task_type <> ''),
    domain       TEXT    NOT NULL CHECK (domain <> ''),      -- the privacy boundary (I8)
    session      TEXT    CHECK (session <> ''),              -- groups the episodes of one workflow or conversation
    context      TEXT    NOT NULL,
    status       TEXT    NOT NULL DEFAULT 'active'
                         CHECK (status IN ('active', 'completed', 'failed', 'archived')),
    success_rate REAL    CHECK (success_rate BETWEEN 0 AND 1),
    created_at   INTEGER NOT NULL,
    completed_at INTEGER CHECK (completed_at >= created_at),
    metadata     TEXT    NOT NULL DEFAULT '{}'
                         CHECK (json_valid(metadata) AND json_type(metadata) = 'object')
) STRICT;

CREATE INDEX episodes_by_creation  ON episodes (created_at);             -- recent episodes, everywhere
CREATE INDEX episodes_by_domain    ON episodes (domain, created_at);     -- recent episodes of a domain
CREATE INDEX episodes_by_status    ON episodes (status, created_at);     -- recent episodes of a status
CREATE INDEX episodes_by_task_type ON episodes (task_type, created_at);  -- recent episodes of a task type
CREATE INDEX episodes_by_session   ON episodes (session, created_at)     -- the episodes of a session
    WHERE session IS NOT NULL;

CREATE TABLE steps (
    seq          INTEGER PRIMARY KEY CHECK (seq > 0),
    id           TEXT    NOT NULL UNIQUE CHECK (length(CAST(id AS BLOB)) BETWEEN 1 AND 128),
    episode_id   TEXT    NOT NULL REFERENCES episodes (id) ON DELETE CASCADE,
    step_number  INTEGER NOT NULL CHECK (step_number > 0),
    action       TEXT    NOT NULL,
    result       TEXT,
    tool         TEXT,
    duration_ms  INTEGER CHECK (duration_ms >= 0),
    success      INTEGER CHECK (success IN (0, 1)),          -- NULL: not known
    timestamp    INTEGER NOT NULL,
    UNIQUE (episode_id, step_number)                         -- the steps of an episode, in order
) STRICT;

CREATE TABLE patterns (
    seq          INTEGER PRIMARY KEY CHECK (seq > 0),
    id           TEXT    NOT NULL UNIQUE CHECK (length(CAST(id AS BLOB)) BETWEEN 1 AND 128),
    pattern_type TEXT    NOT NULL CHECK (pattern_type <> ''),
    pattern_data TEXT    NOT NULL CHECK (json_valid(pattern_data)),
    data_hash    TEXT    NOT NULL CHECK (length(data_hash) = 64),  -- SHA-256, hex, over canonical JSON
    success_rate REAL    CHECK (success_rate BETWEEN 0 AND 1),
    usage_count  INTEGER NOT NULL DEFAULT 0 CHECK (usage_count >= 0),
    last_used    INTEGER,
    created_at   INTEGER NOT NULL,
    metadata     TEXT    NOT NULL DEFAULT '{}'
                         CHECK (json_valid(metadata) AND json_type(metadata) = 'object'),
    UNIQUE (pattern_type, data_hash)                         -- the same data twice is one pattern
) STRICT;

CREATE INDEX patterns_by_success ON patterns (pattern_type, success_rate);  -- patterns of a type, best first
CREATE INDEX patterns_by_usage   ON patterns (usage_count);                 -- patterns, most used first

CREATE TABLE episode_patterns (
    episode_id   TEXT NOT NULL REFERENCES episodes (id) ON DELETE CASCADE,
    pattern_id   TEXT NOT NULL REFERENCES patterns (id) ON DELETE CASCADE,
    PRIMARY KEY (episode_id, pattern_id)                     -- the patterns of an episode
) STRICT, WITHOUT ROWID;

CREATE INDEX episode_patterns_by_pattern ON episode_patterns (pattern_id);  -- the episodes of a pattern

-- UPDATE OR REPLACE would take the other step away without a delete trigger.
CREATE TRIGGER steps_keep_their_numbers_apart BEFORE UPDATE OF step_number ON steps
WHEN EXISTS (SELECT 1 FROM steps
             WHERE episode_id = NEW.episode_id AND step_number = NEW.step_number AND seq IS NOT OLD.seq)
BEGIN SELECT RAISE(ABORT, 'another step of the episode has this number'); END;

-- An id is what caches, indexes and callers hold on to: it never changes.
CREATE TRIGGER episodes_keep_their_id BEFORE UPDATE OF seq, id ON episodes
WHEN NEW.seq IS NOT OLD.seq OR NEW.id IS NOT OLD.id
BEGIN SELECT RAISE(ABORT, 'the id of an episode never changes'); END;

CREATE TRIGGER steps_keep_their_id BEFORE UPDATE OF seq, id, episode_id ON steps
WHEN NEW.seq IS NOT OLD.seq OR NEW.id IS NOT OLD.id OR NEW.episode_id IS NOT OLD.episode_id
BEGIN SELECT RAISE(ABORT, 'the id and the episode of a step never change'); END;

CREATE TRIGGER patterns_keep_their_id BEFORE UPDATE OF seq, id, pattern_type, data_hash ON patterns
WHEN NEW.seq IS NOT OLD.seq OR NEW.id IS NOT OLD.id
  OR NEW.pattern_type IS NOT OLD.pattern_type OR NEW.data_hash IS NOT OLD.data_hash
BEGIN SELECT RAISE(ABORT, 'the id, type and hash of a pattern never change'); END;
