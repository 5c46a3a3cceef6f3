-- 008_change_kinds: the feed says what happened, for those who watch it.
--
-- `kind` is 'insert', 'update' or 'delete', and NULL in changes from before this migration. 'implied' marks the changes that
-- only caches and indexes follow: those logged before an insert, which may replace rows, update one or do nothing; and those
-- of what belongs to an episode that is deleted, for which the change of the episode stands.
-- An insert that replaces a row (REPLACE) is an 'insert', and a 'delete' of each row that had another id, number or domain.
-- An episode that moves is deleted from one domain and inserted into the other, in this order.
--
-- `step_number` is that of the step that a change is about: its row may be gone when the change is read.

ALTER TABLE changes ADD COLUMN kind TEXT CHECK (kind IN ('insert', 'update', 'delete', 'implied'));
ALTER TABLE changes ADD COLUMN step_number INTEGER;

-- Rows that an insert may replace are set aside with what a change says of them.

ALTER TABLE episodes_replaced ADD COLUMN domain TEXT;
ALTER TABLE steps_replaced ADD COLUMN episode_id TEXT;
ALTER TABLE steps_replaced ADD COLUMN step_number INTEGER;
ALTER TABLE patterns_replaced ADD COLUMN key TEXT;
ALTER TABLE patterns_replaced ADD COLUMN domain TEXT;
CREATE TABLE embeddings_replaced (seq INTEGER PRIMARY KEY, id TEXT NOT NULL, domain TEXT) STRICT;

-- Episodes

DROP TRIGGER episodes_text_before_insert;
CREATE TRIGGER episodes_text_before_insert BEFORE INSERT ON episodes BEGIN
    DELETE FROM episodes_replaced;
    INSERT INTO episodes_replaced (seq, context, id, domain)
        SELECT seq, context, id, domain FROM episodes WHERE seq = NEW.seq OR id = NEW.id;
END;

DROP TRIGGER episodes_changes_before_insert;
CREATE TRIGGER episodes_changes_before_insert BEFORE INSERT ON episodes
WHEN EXISTS (SELECT 1 FROM episodes WHERE seq = NEW.seq OR id = NEW.id) BEGIN
    INSERT INTO changes (subject, key, domain, row, step, kind)
        SELECT 'episode', id, domain, seq, 0, 'implied' FROM episodes WHERE seq = NEW.seq OR id = NEW.id;
    INSERT INTO changes (subject, key, domain, row, kind)
        SELECT 'embedding', m.id, e.domain, m.seq, 'implied' FROM episodes e JOIN embeddings m ON m.episode_id = e.id
        WHERE e.seq = NEW.seq OR e.id = NEW.id;
END;

DROP TRIGGER episodes_changes_insert;
CREATE TRIGGER episodes_changes_insert AFTER INSERT ON episodes BEGIN
    INSERT INTO changes (subject, key, domain, row, step, kind)
        SELECT 'episode', id, domain, seq, 0, 'delete' FROM episodes_replaced
        WHERE id <> NEW.id OR domain IS NOT NEW.domain;
    INSERT INTO changes (subject, key, domain, finished, row, kind)
        VALUES ('episode', NEW.id, NEW.domain, NEW.status <> 'active', NEW.seq, 'insert');
END;

DROP TRIGGER episodes_changes_update;
CREATE TRIGGER episodes_changes_update AFTER UPDATE ON episodes WHEN OLD.domain IS NEW.domain BEGIN
    INSERT INTO changes (subject, key, domain, finished, row, kind)
        VALUES ('episode', NEW.id, NEW.domain, OLD.status <> 'active' OR NEW.status <> 'active', NEW.seq, 'update');
END;

DROP TRIGGER episodes_changes_move;
CREATE TRIGGER episodes_changes_move AFTER UPDATE OF domain ON episodes WHEN OLD.domain IS NOT NEW.domain BEGIN
    INSERT INTO changes (subject, key, domain, row, kind) VALUES ('episode', OLD.id, OLD.domain, OLD.seq, 'delete');
    INSERT INTO changes (subject, key, domain, finished, row, kind)
        VALUES ('episode', NEW.id, NEW.domain, OLD.status <> 'active' OR NEW.status <> 'active', NEW.seq, 'insert');
END;

DROP TRIGGER episodes_changes_delete;
CREATE TRIGGER episodes_changes_delete AFTER DELETE ON episodes BEGIN
    INSERT INTO changes (subject, key, domain, finished, row, step, kind)
        VALUES ('episode', OLD.id, OLD.domain, OLD.status <> 'active', OLD.seq, 0, 'delete');
    INSERT INTO changes (subject, key, domain, row, kind)
        SELECT 'embedding', id, OLD.domain, seq, 'implied' FROM embeddings WHERE episode_id = OLD.id;
END;

-- Steps

DROP TRIGGER steps_text_before_insert;
CREATE TRIGGER steps_text_before_insert BEFORE INSERT ON steps BEGIN
    DELETE FROM steps_replaced;
    INSERT INTO steps_replaced (seq, action, result, tool, id, episode_id, step_number)
        SELECT seq, action, result, tool, id, episode_id, step_number FROM steps
        WHERE seq = NEW.seq OR id = NEW.id OR (episode_id = NEW.episode_id AND step_number = NEW.step_number);
END;

-- The changes of replaced steps stand here because a trigger of their own would cost every insert.
DROP TRIGGER steps_text_replace;
CREATE TRIGGER steps_text_replace AFTER INSERT ON steps WHEN EXISTS (SELECT 1 FROM steps_replaced) BEGIN
    INSERT INTO steps_text (steps_text, rowid, action, result, tool)
        SELECT 'delete', seq, action, result, tool FROM steps_replaced;
    DELETE FROM embeddings WHERE step_id IN (SELECT id FROM steps_replaced);
    UPDATE steps_replaced SET action = '', result = NULL, tool = NULL;
    INSERT INTO steps_text (rowid, action, result, tool) VALUES (NEW.seq, NEW.action, NEW.result, NEW.tool);
    INSERT INTO changes (subject, key, domain, row, step, kind, step_number)
        SELECT 'episode', e.id, e.domain, e.seq, r.seq, 'delete', r.step_number
        FROM steps_replaced r JOIN episodes e ON e.id = r.episode_id
        WHERE r.episode_id <> NEW.episode_id OR r.step_number <> NEW.step_number;
END;

DROP TRIGGER steps_changes_before_insert;
CREATE TRIGGER steps_changes_before_insert BEFORE INSERT ON steps
WHEN EXISTS (SELECT 1 FROM steps WHERE seq = NEW.seq OR id = NEW.id
                OR (episode_id = NEW.episode_id AND step_number = NEW.step_number)) BEGIN
    INSERT INTO changes (subject, key, domain, row, step, kind)
        SELECT 'episode', e.id, e.domain, e.seq, s.seq, 'implied' FROM steps s JOIN episodes e ON e.id = s.episode_id
        WHERE s.seq = NEW.seq OR s.id = NEW.id
           OR (s.episode_id = NEW.episode_id AND s.step_number = NEW.step_number);
END;

DROP TRIGGER steps_changes_insert;
CREATE TRIGGER steps_changes_insert AFTER INSERT ON steps BEGIN
    INSERT INTO changes (subject, key, domain, finished, row, step, kind, step_number)
        SELECT 'episode', coalesce(e.id, RAISE(ABORT, 'a step belongs to an episode: insert the episode first')),
               e.domain, e.status <> 'active', e.seq, NEW.seq, 'insert', NEW.step_number
        FROM (SELECT NEW.episode_id AS id) n LEFT JOIN episodes e ON e.id = n.id;
END;

DROP TRIGGER steps_changes_update;
CREATE TRIGGER steps_changes_update AFTER UPDATE ON steps BEGIN
    INSERT INTO changes (subject, key, domain, finished, row, step, kind, step_number)
        SELECT 'episode', id, domain, status <> 'active', seq, NEW.seq, 'delete', OLD.step_number FROM episodes
        WHERE id = NEW.episode_id AND OLD.step_number <> NEW.step_number;
    INSERT INTO changes (subject, key, domain, finished, row, step, kind, step_number)
        SELECT 'episode', id, domain, status <> 'active', seq, NEW.seq,
               iif(OLD.step_number = NEW.step_number, 'update', 'insert'), NEW.step_number
        FROM episodes WHERE id = NEW.episode_id;
END;

DROP TRIGGER steps_changes_delete;
CREATE TRIGGER steps_changes_delete AFTER DELETE ON steps BEGIN
    INSERT INTO changes (subject, key, domain, finished, row, step, kind, step_number)
        SELECT 'episode', id, domain, status <> 'active', seq, OLD.seq, 'delete', OLD.step_number
        FROM episodes WHERE id = OLD.episode_id;
END;

-- Patterns

DROP TRIGGER patterns_replaced_before_insert;
CREATE TRIGGER patterns_replaced_before_insert BEFORE INSERT ON patterns BEGIN
    DELETE FROM patterns_replaced;
    INSERT INTO patterns_replaced (seq, id, key, domain)
        SELECT seq, id, pattern_type || ':' || data_hash || iif(domain = '', '', ':' || domain), nullif(domain, '')
        FROM patterns
        WHERE seq = NEW.seq OR id = NEW.id
           OR (pattern_type = NEW.pattern_type AND data_hash = NEW.data_hash AND domain = NEW.domain);
END;

DROP TRIGGER patterns_changes_before_insert;
CREATE TRIGGER patterns_changes_before_insert BEFORE INSERT ON patterns
WHEN EXISTS (SELECT 1 FROM patterns WHERE seq = NEW.seq OR id = NEW.id
                OR (pattern_type = NEW.pattern_type AND data_hash = NEW.data_hash AND domain = NEW.domain)) BEGIN
    INSERT INTO changes (subject, key, domain, kind)
        SELECT 'pattern', pattern_type || ':' || data_hash || iif(domain = '', '', ':' || domain), nullif(domain, ''),
               'implied'
        FROM patterns
        WHERE seq = NEW.seq OR id = NEW.id
           OR (pattern_type = NEW.pattern_type AND data_hash = NEW.data_hash AND domain = NEW.domain);
END;

DROP TRIGGER patterns_changes_insert;
CREATE TRIGGER patterns_changes_insert AFTER INSERT ON patterns BEGIN
    INSERT INTO changes (subject, key, domain, kind)
        SELECT 'pattern', key, domain, 'delete' FROM patterns_replaced
        WHERE key <> NEW.pattern_type || ':' || NEW.data_hash || iif(NEW.domain = '', '', ':' || NEW.domain);
    INSERT INTO changes (subject, key, domain, kind)
        VALUES ('pattern', NEW.pattern_type || ':' || NEW.data_hash || iif(NEW.domain = '', '', ':' || NEW.domain),
                nullif(NEW.domain, ''), 'insert');
END;

DROP TRIGGER patterns_changes_update;
CREATE TRIGGER patterns_changes_update AFTER UPDATE ON patterns BEGIN
    INSERT INTO changes (subject, key, domain, kind)
        VALUES ('pattern', NEW.pattern_type || ':' || NEW.data_hash || iif(NEW.domain = '', '', ':' || NEW.domain),
                nullif(NEW.domain, ''), 'update');
END;

DROP TRIGGER patterns_changes_delete;
CREATE TRIGGER patterns_changes_delete AFTER DELETE ON patterns BEGIN
    INSERT INTO changes (subject, key, domain, kind)
        VALUES ('pattern', OLD.pattern_type || ':' || OLD.data_hash || iif(OLD.domain = '', '', ':' || OLD.domain),
                nullif(OLD.domain, ''), 'delete');
END;

-- Embeddings

CREATE TRIGGER embeddings_replaced_before_insert BEFORE INSERT ON embeddings BEGIN
    DELETE FROM embeddings_replaced;
    INSERT INTO embeddings_replaced (seq, id, domain)
        SELECT m.seq, m.id, e.domain FROM embeddings m LEFT JOIN episodes e ON e.id = m.episode_id
        WHERE m.seq = NEW.seq OR m.id = NEW.id;
END;

CREATE TRIGGER embeddings_replaced_delete AFTER DELETE ON embeddings BEGIN
    DELETE FROM embeddings_replaced WHERE seq = OLD.seq;
END;

DROP TRIGGER embeddings_changes_before_insert;
CREATE TRIGGER embeddings_changes_before_insert BEFORE INSERT ON embeddings
WHEN EXISTS (SELECT 1 FROM embeddings WHERE seq = NEW.seq OR id = NEW.id) BEGIN
    INSERT INTO changes (subject, key, domain, row, kind)
        SELECT 'embedding', m.id, e.domain, m.seq, 'implied'
        FROM embeddings m LEFT JOIN episodes e ON e.id = m.episode_id
        WHERE m.seq = NEW.seq OR m.id = NEW.id;
    INSERT INTO changes (subject, key, domain, row, kind)
        SELECT 'episode', e.id, e.domain, e.seq, 'implied' FROM embeddings m JOIN episodes e ON e.id = m.episode_id
        WHERE m.seq = NEW.seq OR m.id = NEW.id;
END;

DROP TRIGGER embeddings_changes_insert;
CREATE TRIGGER embeddings_changes_insert AFTER INSERT ON embeddings BEGIN
    INSERT INTO changes (subject, key, domain, row, kind)
        SELECT 'embedding', id, domain, seq, 'delete' FROM embeddings_replaced
        WHERE id <> NEW.id
           OR domain IS NOT (SELECT domain FROM episodes WHERE id = NEW.episode_id);
    INSERT INTO changes (subject, key, domain, finished, row, kind)
        SELECT 'embedding', iif(e.seq IS NULL,
                   RAISE(ABORT, 'an embedding belongs to an episode: insert the episode first'), NEW.id),
               e.domain, e.status <> 'active', NEW.seq, 'insert'
        FROM (SELECT NEW.episode_id AS id) n LEFT JOIN episodes e ON e.id = n.id;
END;

DROP TRIGGER embeddings_changes_update;
CREATE TRIGGER embeddings_changes_update AFTER UPDATE ON embeddings BEGIN
    INSERT INTO changes (subject, key, domain, finished, row, kind)
        SELECT 'embedding', NEW.id, domain, status <> 'active', NEW.seq, 'update'
        FROM episodes WHERE id = NEW.episode_id;
END;

DROP TRIGGER embeddings_changes_delete;
CREATE TRIGGER embeddings_changes_delete AFTER DELETE ON embeddings BEGIN
    INSERT INTO changes (subject, key, domain, row, kind)
        SELECT 'embedding', OLD.id, e.domain, OLD.seq, iif(e.seq IS NULL, 'implied', 'delete')
        FROM (SELECT OLD.episode_id AS id) n LEFT JOIN episodes e ON e.id = n.id;
END;
