-- 006_nothing_left_behind: rows of before 003 are found, and what belongs to an episode goes with it, whoever deletes it.

-- Full text of rows that were there before migration 003 made its indexes. Deleting such a row would take words out of an
-- index that never had them, so an index that lacks a row, or has one too many, is made from its table again: 25 to 40 s
-- for a million rows, and nothing for any other store. Cached answers lack the same rows, and a change in each domain
-- makes caches forget them.

INSERT INTO changes (subject, key, domain, row)
    SELECT 'episode', id, domain, min(seq) FROM episodes
    WHERE EXISTS (SELECT seq FROM episodes EXCEPT SELECT id FROM episodes_text_docsize)
       OR EXISTS (SELECT id FROM episodes_text_docsize EXCEPT SELECT seq FROM episodes)
       OR EXISTS (SELECT seq FROM steps EXCEPT SELECT id FROM steps_text_docsize)
       OR EXISTS (SELECT id FROM steps_text_docsize EXCEPT SELECT seq FROM steps)
    GROUP BY domain;

INSERT INTO episodes_text (episodes_text)
    SELECT 'rebuild' WHERE EXISTS (SELECT seq FROM episodes EXCEPT SELECT id FROM episodes_text_docsize)
                        OR EXISTS (SELECT id FROM episodes_text_docsize EXCEPT SELECT seq FROM episodes);

INSERT INTO steps_text (steps_text)
    SELECT 'rebuild' WHERE EXISTS (SELECT seq FROM steps EXCEPT SELECT id FROM steps_text_docsize)
                        OR EXISTS (SELECT id FROM steps_text_docsize EXCEPT SELECT seq FROM steps);

-- Foreign keys are off in the sqlite3 shell and in most drivers, and then ON DELETE CASCADE does nothing: steps, vectors
-- and links would outlive their episode, unseen, and be seen again under the next episode of that id, in another domain
-- (I8). The triggers below do for every writer what the foreign keys say, and do nothing where those have done it.

CREATE TRIGGER episodes_take_along_delete AFTER DELETE ON episodes BEGIN
    DELETE FROM embeddings WHERE episode_id = OLD.id;
    DELETE FROM steps WHERE episode_id = OLD.id;
    DELETE FROM episode_patterns WHERE episode_id = OLD.id;
END;

CREATE TRIGGER steps_take_along_delete AFTER DELETE ON steps
WHEN EXISTS (SELECT 1 FROM embeddings WHERE step_id = OLD.id) BEGIN
    DELETE FROM embeddings WHERE step_id = OLD.id;
END;

CREATE TRIGGER patterns_take_along_delete AFTER DELETE ON patterns BEGIN
    DELETE FROM episode_patterns WHERE pattern_id = OLD.id;
END;

-- INSERT OR REPLACE fires no delete trigger. What has the id of an episode when that has just been inserted is left over
-- from another one; not to be done before the insert, which OR IGNORE and ON CONFLICT DO UPDATE never get to.

DROP TRIGGER episodes_changes_adopt;
DROP TRIGGER episodes_changes_adopt_steps;

CREATE TRIGGER episodes_take_along_insert AFTER INSERT ON episodes
WHEN EXISTS (SELECT 1 FROM steps WHERE episode_id = NEW.id)
  OR EXISTS (SELECT 1 FROM embeddings WHERE episode_id = NEW.id)
  OR EXISTS (SELECT 1 FROM episode_patterns WHERE episode_id = NEW.id) BEGIN
    DELETE FROM embeddings WHERE episode_id = NEW.id;
    DELETE FROM steps WHERE episode_id = NEW.id;
    DELETE FROM episode_patterns WHERE episode_id = NEW.id;
END;

CREATE TRIGGER patterns_take_along_insert AFTER INSERT ON patterns
WHEN EXISTS (SELECT 1 FROM episode_patterns WHERE pattern_id = NEW.id) BEGIN
    DELETE FROM episode_patterns WHERE pattern_id = NEW.id;
END;

-- REPLACE also removes rows that share another key than the id. 003 sets the rows aside that an insert may remove; what
-- belongs to them goes when it has. One of two triggers indexes the new row, and which of them must not depend on their
-- order: so the rows stay set aside, without their texts, until the next insert.

ALTER TABLE episodes_replaced ADD COLUMN id TEXT;
ALTER TABLE steps_replaced ADD COLUMN id TEXT;
CREATE TABLE patterns_replaced (seq INTEGER PRIMARY KEY, id TEXT NOT NULL) STRICT;

DROP TRIGGER episodes_text_before_insert;
DROP TRIGGER episodes_text_insert;

CREATE TRIGGER episodes_text_before_insert BEFORE INSERT ON episodes BEGIN
    DELETE FROM episodes_replaced;
    INSERT INTO episodes_replaced (seq, context, id)
        SELECT seq, context, id FROM episodes WHERE seq = NEW.seq OR id = NEW.id;
END;

CREATE TRIGGER episodes_text_insert AFTER INSERT ON episodes WHEN NOT EXISTS (SELECT 1 FROM episodes_replaced) BEGIN
    INSERT INTO episodes_text (rowid, context) VALUES (NEW.seq, NEW.context);
END;

CREATE TRIGGER episodes_text_replace AFTER INSERT ON episodes WHEN EXISTS (SELECT 1 FROM episodes_replaced) BEGIN
    INSERT INTO episodes_text (episodes_text, rowid, context)
        SELECT 'delete', seq, context FROM episodes_replaced;
    DELETE FROM embeddings WHERE episode_id IN (SELECT id FROM episodes_replaced);
    DELETE FROM steps WHERE episode_id IN (SELECT id FROM episodes_replaced);
    DELETE FROM episode_patterns WHERE episode_id IN (SELECT id FROM episodes_replaced);
    UPDATE episodes_replaced SET context = '';
    INSERT INTO episodes_text (rowid, context) VALUES (NEW.seq, NEW.context);
END;

DROP TRIGGER steps_text_before_insert;
DROP TRIGGER steps_text_insert;

CREATE TRIGGER steps_text_before_insert BEFORE INSERT ON steps BEGIN
    DELETE FROM steps_replaced;
    INSERT INTO steps_replaced (seq, action, result, tool, id)
        SELECT seq, action, result, tool, id FROM steps
        WHERE seq = NEW.seq OR id = NEW.id OR (episode_id = NEW.episode_id AND step_number = NEW.step_number);
END;

CREATE TRIGGER steps_text_insert AFTER INSERT ON steps WHEN NOT EXISTS (SELECT 1 FROM steps_replaced) BEGIN
    INSERT INTO steps_text (rowid, action, result, tool) VALUES (NEW.seq, NEW.action, NEW.result, NEW.tool);
END;

CREATE TRIGGER steps_text_replace AFTER INSERT ON steps WHEN EXISTS (SELECT 1 FROM steps_replaced) BEGIN
    INSERT INTO steps_text (steps_text, rowid, action, result, tool)
        SELECT 'delete', seq, action, result, tool FROM steps_replaced;
    DELETE FROM embeddings WHERE step_id IN (SELECT id FROM steps_replaced);
    UPDATE steps_replaced SET action = '', result = NULL, tool = NULL;
    INSERT INTO steps_text (rowid, action, result, tool) VALUES (NEW.seq, NEW.action, NEW.result, NEW.tool);
END;

CREATE TRIGGER patterns_replaced_before_insert BEFORE INSERT ON patterns BEGIN
    DELETE FROM patterns_replaced;
    INSERT INTO patterns_replaced (seq, id)
        SELECT seq, id FROM patterns
        WHERE seq = NEW.seq OR id = NEW.id OR (pattern_type = NEW.pattern_type AND data_hash = NEW.data_hash);
END;

CREATE TRIGGER patterns_replace AFTER INSERT ON patterns WHEN EXISTS (SELECT 1 FROM patterns_replaced) BEGIN
    DELETE FROM episode_patterns WHERE pattern_id IN (SELECT id FROM patterns_replaced);
END;

CREATE TRIGGER patterns_replaced_delete AFTER DELETE ON patterns BEGIN
    DELETE FROM patterns_replaced WHERE seq = OLD.seq;
END;

-- No row comes without its owner. LEFT JOIN finds the owner and its absence in one look-up.

DROP TRIGGER steps_changes_insert;
CREATE TRIGGER steps_changes_insert AFTER INSERT ON steps BEGIN
    INSERT INTO changes (subject, key, domain, finished, row, step)
        SELECT 'episode', coalesce(e.id, RAISE(ABORT, 'a step belongs to an episode: insert the episode first')),
               e.domain, e.status <> 'active', e.seq, NEW.seq
        FROM (SELECT NEW.episode_id AS id) n LEFT JOIN episodes e ON e.id = n.id;
END;

DROP TRIGGER embeddings_changes_insert;
CREATE TRIGGER embeddings_changes_insert AFTER INSERT ON embeddings BEGIN
    INSERT INTO changes (subject, key, domain, finished, row)
        SELECT 'embedding', iif(e.seq IS NULL,
                   RAISE(ABORT, 'an embedding belongs to an episode: insert the episode first'), NEW.id),
               e.domain, e.status <> 'active', NEW.seq
        FROM (SELECT NEW.episode_id AS id) n LEFT JOIN episodes e ON e.id = n.id;
END;

CREATE TRIGGER embeddings_belong_insert BEFORE INSERT ON embeddings
WHEN NEW.step_id IS NOT NULL
 AND NOT EXISTS (SELECT 1 FROM steps WHERE id = NEW.step_id AND episode_id = NEW.episode_id)
BEGIN SELECT RAISE(ABORT, 'an embedding belongs to a step of its episode: the episode has no step of this id'); END;

CREATE TRIGGER embeddings_belong_update BEFORE UPDATE OF step_id ON embeddings
WHEN NEW.step_id IS NOT NULL
 AND NOT EXISTS (SELECT 1 FROM steps WHERE id = NEW.step_id AND episode_id = NEW.episode_id)
BEGIN SELECT RAISE(ABORT, 'an embedding belongs to a step of its episode: the episode has no step of this id'); END;

CREATE TRIGGER episode_patterns_belong_insert BEFORE INSERT ON episode_patterns
WHEN NOT EXISTS (SELECT 1 FROM episodes WHERE id = NEW.episode_id)
  OR NOT EXISTS (SELECT 1 FROM patterns WHERE id = NEW.pattern_id)
BEGIN SELECT RAISE(ABORT, 'a link joins an episode and a pattern: insert both first'); END;

CREATE TRIGGER episode_patterns_belong_update BEFORE UPDATE ON episode_patterns
WHEN NOT EXISTS (SELECT 1 FROM episodes WHERE id = NEW.episode_id)
  OR NOT EXISTS (SELECT 1 FROM patterns WHERE id = NEW.pattern_id)
BEGIN SELECT RAISE(ABORT, 'a link joins an episode and a pattern: insert both first'); END;

-- Orphans of before: rows whose owner is gone. Nobody knows any more in which domain they were, so no verb may show them,
-- and a migration loses nothing, so they are kept as JSON (a vector in hexadecimal) until somebody deletes them.
-- `DELETE FROM orphans` sets aside whatever has no owner, here and later.

CREATE TABLE orphans_kept (
    seq     INTEGER PRIMARY KEY CHECK (seq > 0),
    source  TEXT NOT NULL CHECK (source IN ('steps', 'embeddings', 'episode_patterns')),
    content TEXT NOT NULL                                    -- the columns of the row
) STRICT;

CREATE VIEW orphans (source, row, episode_id, id, content) AS
    SELECT 'steps', seq, episode_id, id, json_object('id', id, 'episode_id', episode_id, 'step_number', step_number,
               'action', action, 'result', result, 'tool', tool, 'duration_ms', duration_ms, 'success', success,
               'timestamp', timestamp)
    FROM steps WHERE NOT EXISTS (SELECT 1 FROM episodes e WHERE e.id = steps.episode_id)
    UNION ALL
    SELECT 'embeddings', seq, episode_id, id, json_object('id', id, 'episode_id', episode_id, 'step_id', step_id,
               'content', content, 'embedding', hex(embedding), 'model_name', model_name, 'dimensions', dimensions,
               'created_at', created_at)
    FROM embeddings
    WHERE NOT EXISTS (SELECT 1 FROM episodes e WHERE e.id = embeddings.episode_id)
       OR step_id IS NOT NULL
          AND NOT EXISTS (SELECT 1 FROM steps s WHERE s.id = embeddings.step_id AND s.episode_id = embeddings.episode_id)
    UNION ALL
    SELECT 'episode_patterns', NULL, episode_id, pattern_id,
           json_object('episode_id', episode_id, 'pattern_id', pattern_id)
    FROM episode_patterns
    WHERE NOT EXISTS (SELECT 1 FROM episodes e WHERE e.id = episode_patterns.episode_id)
       OR NOT EXISTS (SELECT 1 FROM patterns p WHERE p.id = episode_patterns.pattern_id);

CREATE TRIGGER orphans_keep INSTEAD OF DELETE ON orphans BEGIN
    INSERT INTO orphans_kept (source, content) VALUES (OLD.source, OLD.content);
    DELETE FROM embeddings WHERE OLD.source = 'embeddings' AND seq = OLD.row;
    DELETE FROM steps WHERE OLD.source = 'steps' AND seq = OLD.row;
    DELETE FROM episode_patterns
        WHERE OLD.source = 'episode_patterns' AND episode_id = OLD.episode_id AND pattern_id = OLD.id;
END;

DELETE FROM orphans;
