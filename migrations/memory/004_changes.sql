-- 004_changes: who this primary is, and the feed of what changed in it, which caches and indexes follow (I1, I3, I4).
--
-- `revision` only grows; `nonce` tells two histories apart that share a revision, such as a restored backup that went on.
-- `finished` is 0 when neither the episode before the change nor the one after it was anything but active: what
-- default recall does not draw on, it need not forget for. Rows that INSERT OR REPLACE may take away without a delete
-- trigger are logged before the insert; a change logged for nothing costs a refill, a change missed costs the truth.

CREATE TABLE store (
    singleton  INTEGER PRIMARY KEY CHECK (singleton = 1),
    uuid       TEXT    NOT NULL CHECK (length(uuid) = 32)
) STRICT;

INSERT INTO store (singleton, uuid) VALUES (1, lower(hex(randomblob(16))));

CREATE TABLE changes (
    revision INTEGER PRIMARY KEY AUTOINCREMENT,
    nonce    INTEGER NOT NULL DEFAULT (random()),
    subject  TEXT    NOT NULL CHECK (subject IN ('episode', 'pattern', 'embedding')),
    key      TEXT    NOT NULL,                         -- episode id; pattern type:hash; embedding id
    domain   TEXT,                                     -- of the episode; NULL for patterns
    finished INTEGER NOT NULL DEFAULT 1 CHECK (finished IN (0, 1))
) STRICT;

-- Episodes

CREATE TRIGGER episodes_changes_before_insert BEFORE INSERT ON episodes BEGIN
    INSERT INTO changes (subject, key, domain)
        SELECT 'episode', id, domain FROM episodes WHERE seq = NEW.seq OR id = NEW.id;
END;

CREATE TRIGGER episodes_changes_insert AFTER INSERT ON episodes BEGIN
    INSERT INTO changes (subject, key, domain, finished)
        VALUES ('episode', NEW.id, NEW.domain, NEW.status <> 'active');
END;

CREATE TRIGGER episodes_changes_update AFTER UPDATE ON episodes BEGIN
    INSERT INTO changes (subject, key, domain, finished)
        VALUES ('episode', NEW.id, NEW.domain, OLD.status <> 'active' OR NEW.status <> 'active');
    INSERT INTO changes (subject, key, domain)
        SELECT 'episode', OLD.id, OLD.domain WHERE OLD.domain IS NOT NEW.domain;
END;

CREATE TRIGGER episodes_changes_delete AFTER DELETE ON episodes BEGIN
    INSERT INTO changes (subject, key, domain, finished)
        VALUES ('episode', OLD.id, OLD.domain, OLD.status <> 'active');
END;

-- Steps: a step's change is a change of its episode.

CREATE TRIGGER steps_changes_before_insert BEFORE INSERT ON steps BEGIN
    INSERT INTO changes (subject, key, domain)
        SELECT 'episode', e.id, e.domain FROM steps s JOIN episodes e ON e.id = s.episode_id
        WHERE s.seq = NEW.seq OR s.id = NEW.id
           OR (s.episode_id = NEW.episode_id AND s.step_number = NEW.step_number);
END;

CREATE TRIGGER steps_changes_insert AFTER INSERT ON steps BEGIN
    INSERT INTO changes (subject, key, domain, finished)
        SELECT 'episode', id, domain, status <> 'active' FROM episodes WHERE id = NEW.episode_id;
END;

CREATE TRIGGER steps_changes_update AFTER UPDATE ON steps BEGIN
    INSERT INTO changes (subject, key, domain, finished)
        SELECT 'episode', id, domain, status <> 'active' FROM episodes WHERE id = NEW.episode_id;
END;

CREATE TRIGGER steps_changes_delete AFTER DELETE ON steps BEGIN
    INSERT INTO changes (subject, key, domain, finished)
        SELECT 'episode', id, domain, status <> 'active' FROM episodes WHERE id = OLD.episode_id;
END;

-- Patterns

CREATE TRIGGER patterns_changes_before_insert BEFORE INSERT ON patterns BEGIN
    INSERT INTO changes (subject, key)
        SELECT 'pattern', pattern_type || ':' || data_hash FROM patterns
        WHERE seq = NEW.seq OR id = NEW.id OR (pattern_type = NEW.pattern_type AND data_hash = NEW.data_hash);
END;

CREATE TRIGGER patterns_changes_insert AFTER INSERT ON patterns BEGIN
    INSERT INTO changes (subject, key) VALUES ('pattern', NEW.pattern_type || ':' || NEW.data_hash);
END;

CREATE TRIGGER patterns_changes_update AFTER UPDATE ON patterns BEGIN
    INSERT INTO changes (subject, key) VALUES ('pattern', NEW.pattern_type || ':' || NEW.data_hash);
END;

CREATE TRIGGER patterns_changes_delete AFTER DELETE ON patterns BEGIN
    INSERT INTO changes (subject, key) VALUES ('pattern', OLD.pattern_type || ':' || OLD.data_hash);
END;

-- Embeddings: the episode's own change comes through its embedding_version (002); this row is for the vector index.

CREATE TRIGGER embeddings_changes_before_insert BEFORE INSERT ON embeddings BEGIN
    INSERT INTO changes (subject, key, domain)
        SELECT 'embedding', m.id, e.domain FROM embeddings m JOIN episodes e ON e.id = m.episode_id
        WHERE m.seq = NEW.seq OR m.id = NEW.id;
    INSERT INTO changes (subject, key, domain)
        SELECT 'episode', e.id, e.domain FROM embeddings m JOIN episodes e ON e.id = m.episode_id
        WHERE m.seq = NEW.seq OR m.id = NEW.id;
END;

CREATE TRIGGER embeddings_changes_insert AFTER INSERT ON embeddings BEGIN
    INSERT INTO changes (subject, key, domain, finished)
        SELECT 'embedding', NEW.id, domain, status <> 'active' FROM episodes WHERE id = NEW.episode_id;
END;

CREATE TRIGGER embeddings_changes_update AFTER UPDATE ON embeddings BEGIN
    INSERT INTO changes (subject, key, domain, finished)
        SELECT 'embedding', NEW.id, domain, status <> 'active' FROM episodes WHERE id = NEW.episode_id;
END;

CREATE TRIGGER embeddings_changes_delete AFTER DELETE ON embeddings BEGIN
    INSERT INTO changes (subject, key)
        VALUES ('embedding', OLD.id);
END;
