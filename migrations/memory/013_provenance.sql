-- 013_provenance: where episodes and steps came from, and how far they are trusted.
--
-- Levels of trust: 0 quarantined, 1 untrusted, 2 unverified, 3 trusted, 4 verified. `trust` is what somebody said, NULL if
-- nobody did: then the source decides, and without one an episode is trusted, a step as much as its episode. `least_trust` is
-- what recall goes by: the least of the episode, its steps and what it was derived from, of a pattern that of the episodes
-- that it was learned from. The engine lowers it with them and raises it only when somebody says so.

ALTER TABLE episodes ADD COLUMN source TEXT
    CHECK (source IN ('user', 'tool', 'agent', 'import', 'web', 'ledger'));
ALTER TABLE episodes ADD COLUMN source_id TEXT CHECK (source_id <> '');   -- which user, page, file, server
ALTER TABLE episodes ADD COLUMN actor TEXT CHECK (actor <> '');           -- who recorded it
ALTER TABLE episodes ADD COLUMN trust INTEGER CHECK (trust BETWEEN 0 AND 4);
ALTER TABLE episodes ADD COLUMN derived_from TEXT                         -- ids of episodes, an array; some may be gone
    CHECK (derived_from IS NULL OR json_valid(derived_from) AND json_type(derived_from) = 'array');
ALTER TABLE episodes ADD COLUMN least_trust INTEGER NOT NULL DEFAULT 3 CHECK (least_trust BETWEEN 0 AND 4);

CREATE INDEX episodes_by_source_id ON episodes (source_id, created_at) WHERE source_id IS NOT NULL;  -- of a source
CREATE INDEX episodes_by_source    ON episodes (source, created_at) WHERE source IS NOT NULL;        -- of a kind of source
CREATE INDEX episodes_by_trust     ON episodes (least_trust, created_at) WHERE least_trust < 3;      -- what is not trusted

ALTER TABLE steps ADD COLUMN source TEXT
    CHECK (source IN ('user', 'tool', 'agent', 'import', 'web', 'ledger'));
ALTER TABLE steps ADD COLUMN source_id TEXT CHECK (source_id <> '');
ALTER TABLE steps ADD COLUMN actor TEXT CHECK (actor <> '');
ALTER TABLE steps ADD COLUMN trust INTEGER CHECK (trust BETWEEN 0 AND 4);

CREATE INDEX steps_by_source_id ON steps (source_id, timestamp) WHERE source_id IS NOT NULL;         -- of a source
CREATE INDEX steps_by_source    ON steps (source, timestamp) WHERE source IS NOT NULL;               -- of a kind of source

ALTER TABLE patterns ADD COLUMN trust INTEGER CHECK (trust BETWEEN 0 AND 4);
ALTER TABLE patterns ADD COLUMN least_trust INTEGER NOT NULL DEFAULT 3 CHECK (least_trust BETWEEN 0 AND 4);

-- The episodes derived from one. A parent that is deleted stays here: what was made of it is not trusted more for that.
CREATE TABLE episode_parents (
    parent_id TEXT NOT NULL,
    child_id  TEXT NOT NULL REFERENCES episodes (id) ON DELETE CASCADE,
    PRIMARY KEY (parent_id, child_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX episode_parents_by_child ON episode_parents (child_id);     -- with a child that is deleted

CREATE TRIGGER episodes_parents_insert AFTER INSERT ON episodes WHEN NEW.derived_from IS NOT NULL BEGIN
    INSERT INTO episode_parents (parent_id, child_id)
        SELECT DISTINCT value, NEW.id FROM json_each(NEW.derived_from) WHERE type = 'text' ORDER BY value;
END;

CREATE TRIGGER episodes_parents_update AFTER UPDATE OF derived_from ON episodes
WHEN OLD.derived_from IS NOT NEW.derived_from BEGIN
    DELETE FROM episode_parents WHERE child_id = NEW.id;
    INSERT INTO episode_parents (parent_id, child_id)
        SELECT DISTINCT value, NEW.id FROM json_each(NEW.derived_from) WHERE type = 'text' ORDER BY value;
END;

-- Who said how far something is trusted, and why. Exactly one of the three ids is set.
CREATE TABLE trust_decisions (
    number     INTEGER PRIMARY KEY,
    episode_id TEXT REFERENCES episodes (id) ON DELETE CASCADE,
    step_id    TEXT REFERENCES steps (id) ON DELETE CASCADE,
    pattern_id TEXT REFERENCES patterns (id) ON DELETE CASCADE,
    trust      INTEGER NOT NULL CHECK (trust BETWEEN 0 AND 4),
    before     INTEGER NOT NULL CHECK (before BETWEEN 0 AND 4),
    actor      TEXT    NOT NULL CHECK (actor <> ''),
    reason     TEXT    CHECK (reason <> ''),
    decided_at INTEGER NOT NULL,
    CHECK ((episode_id IS NOT NULL) + (step_id IS NOT NULL) + (pattern_id IS NOT NULL) = 1)
) STRICT;

CREATE INDEX trust_decisions_of_episode ON trust_decisions (episode_id) WHERE episode_id IS NOT NULL;
CREATE INDEX trust_decisions_of_step    ON trust_decisions (step_id) WHERE step_id IS NOT NULL;
CREATE INDEX trust_decisions_of_pattern ON trust_decisions (pattern_id) WHERE pattern_id IS NOT NULL;
