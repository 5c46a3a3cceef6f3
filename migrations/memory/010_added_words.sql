-- 010_added_words: words that full text would not find in a row as it is written, beside the text.
--
-- `added` is what the engine's analyser makes of the texts of a row (by functions of the engine): parts of identifiers, names of several words as one,
-- texts without escape sequences, folded forms, bigrams of scripts without spaces. `labels` has the words of an episode's task
-- type, session and strings of the metadata, marked. '' is nothing, NULL is not analysed: a row of another program, which
-- the engine fills.
--
-- No view shows them, and they are trusted only as long as the texts are those they were made of: whoever changes a text
-- and not `added` makes both NULL.

ALTER TABLE episodes ADD COLUMN added TEXT;
ALTER TABLE episodes ADD COLUMN labels TEXT;
ALTER TABLE steps ADD COLUMN added TEXT;
ALTER TABLE episodes_replaced ADD COLUMN added TEXT;
ALTER TABLE episodes_replaced ADD COLUMN labels TEXT;
ALTER TABLE steps_replaced ADD COLUMN added TEXT;

-- No trigger sees this: caches are told below, and full text is made again.

DROP TRIGGER episodes_changes_update;
DROP TRIGGER steps_changes_update;
UPDATE episodes SET added = episodic_added(context), labels = episodic_labels(task_type, session, metadata);
UPDATE steps SET added = episodic_added(action, result, tool);
INSERT INTO changes (subject, key, domain, row, kind)
    SELECT 'episode', id, domain, min(seq), 'implied' FROM episodes GROUP BY domain;

CREATE INDEX episodes_not_analysed ON episodes (seq) WHERE added IS NULL;   -- episodes to be analysed
CREATE INDEX steps_not_analysed    ON steps (seq)    WHERE added IS NULL;   -- steps to be analysed

-- Full text, with the column.

DROP TRIGGER episodes_text_before_insert;
DROP TRIGGER episodes_text_insert;
DROP TRIGGER episodes_text_replace;
DROP TRIGGER episodes_text_update;
DROP TRIGGER episodes_text_delete;
DROP TRIGGER steps_text_before_insert;
DROP TRIGGER steps_text_insert;
DROP TRIGGER steps_text_replace;
DROP TRIGGER steps_text_update;
DROP TRIGGER steps_text_delete;
DROP TABLE episodes_text;
DROP TABLE steps_text;

CREATE VIRTUAL TABLE episodes_text USING fts5 (
    context, added, labels,
    content = 'episodes', content_rowid = 'seq', tokenize = 'porter unicode61 remove_diacritics 2'
);

CREATE VIRTUAL TABLE steps_text USING fts5 (
    action, result, tool, added,
    content = 'steps', content_rowid = 'seq', tokenize = 'porter unicode61 remove_diacritics 2'
);

INSERT INTO episodes_text (episodes_text) VALUES ('rebuild');
INSERT INTO steps_text (steps_text) VALUES ('rebuild');

-- As in 003, 006 and 008: rows that an insert may replace are set aside with what full text has of them.

CREATE TRIGGER episodes_text_before_insert BEFORE INSERT ON episodes BEGIN
    DELETE FROM episodes_replaced;
    INSERT INTO episodes_replaced (seq, context, id, domain, added, labels)
        SELECT seq, context, id, domain, added, labels FROM episodes WHERE seq = NEW.seq OR id = NEW.id;
END;

CREATE TRIGGER episodes_text_insert AFTER INSERT ON episodes WHEN NOT EXISTS (SELECT 1 FROM episodes_replaced) BEGIN
    INSERT INTO episodes_text (rowid, context, added, labels)
        VALUES (NEW.seq, NEW.context, NEW.added, NEW.labels);
END;

CREATE TRIGGER episodes_text_replace AFTER INSERT ON episodes WHEN EXISTS (SELECT 1 FROM episodes_replaced) BEGIN
    INSERT INTO episodes_text (episodes_text, rowid, context, added, labels)
        SELECT 'delete', seq, context, added, labels FROM episodes_replaced;
    DELETE FROM embeddings WHERE episode_id IN (SELECT id FROM episodes_replaced);
    DELETE FROM steps WHERE episode_id IN (SELECT id FROM episodes_replaced);
    DELETE FROM episode_patterns WHERE episode_id IN (SELECT id FROM episodes_replaced);
    UPDATE episodes_replaced SET context = '', added = NULL, labels = NULL;
    INSERT INTO episodes_text (rowid, context, added, labels)
        VALUES (NEW.seq, NEW.context, NEW.added, NEW.labels);
END;

CREATE TRIGGER episodes_text_delete AFTER DELETE ON episodes BEGIN
    DELETE FROM episodes_replaced WHERE seq = OLD.seq;
    INSERT INTO episodes_text (episodes_text, rowid, context, added, labels)
        VALUES ('delete', OLD.seq, OLD.context, OLD.added, OLD.labels);
END;

CREATE TRIGGER steps_text_before_insert BEFORE INSERT ON steps BEGIN
    DELETE FROM steps_replaced;
    INSERT INTO steps_replaced (seq, action, result, tool, id, episode_id, step_number, added)
        SELECT seq, action, result, tool, id, episode_id, step_number, added FROM steps
        WHERE seq = NEW.seq OR id = NEW.id OR (episode_id = NEW.episode_id AND step_number = NEW.step_number);
END;

CREATE TRIGGER steps_text_insert AFTER INSERT ON steps WHEN NOT EXISTS (SELECT 1 FROM steps_replaced) BEGIN
    INSERT INTO steps_text (rowid, action, result, tool, added)
        VALUES (NEW.seq, NEW.action, NEW.result, NEW.tool, NEW.added);
END;

CREATE TRIGGER steps_text_replace AFTER INSERT ON steps WHEN EXISTS (SELECT 1 FROM steps_replaced) BEGIN
    INSERT INTO steps_text (steps_text, rowid, action, result, tool, added)
        SELECT 'delete', seq, action, result, tool, added FROM steps_replaced;
    DELETE FROM embeddings WHERE step_id IN (SELECT id FROM steps_replaced);
    UPDATE steps_replaced SET action = '', result = NULL, tool = NULL, added = NULL;
    INSERT INTO steps_text (rowid, action, result, tool, added)
        VALUES (NEW.seq, NEW.action, NEW.result, NEW.tool, NEW.added);
    INSERT INTO changes (subject, key, domain, row, step, kind, step_number)
        SELECT 'episode', e.id, e.domain, e.seq, r.seq, 'delete', r.step_number
        FROM steps_replaced r JOIN episodes e ON e.id = r.episode_id
        WHERE r.episode_id <> NEW.episode_id OR r.step_number <> NEW.step_number;
END;

CREATE TRIGGER steps_text_delete AFTER DELETE ON steps BEGIN
    DELETE FROM steps_replaced WHERE seq = OLD.seq;
    INSERT INTO steps_text (steps_text, rowid, action, result, tool, added)
        VALUES ('delete', OLD.seq, OLD.action, OLD.result, OLD.tool, OLD.added);
END;

-- An update of a row changes full text, and then makes `added` NULL if it is of other texts, which fires the second trigger.
-- The first does not do the work of the second, so it makes no difference whether triggers of the connection are recursive.

CREATE TRIGGER episodes_text_update AFTER UPDATE OF context, added, labels, task_type, session, metadata ON episodes
WHEN (NEW.context IS NOT OLD.context OR NEW.added IS NOT OLD.added OR NEW.labels IS NOT OLD.labels
      OR NEW.task_type IS NOT OLD.task_type OR NEW.session IS NOT OLD.session OR NEW.metadata IS NOT OLD.metadata)
 AND NOT (NEW.context IS OLD.context AND NEW.added IS NULL AND NEW.labels IS NULL
          AND (OLD.added IS NOT NULL OR OLD.labels IS NOT NULL)) BEGIN
    INSERT INTO episodes_text (episodes_text, rowid, context, added, labels)
        SELECT 'delete', OLD.seq, OLD.context, OLD.added, OLD.labels
        WHERE NEW.context IS NOT OLD.context OR NEW.added IS NOT OLD.added OR NEW.labels IS NOT OLD.labels;
    INSERT INTO episodes_text (rowid, context, added, labels)
        SELECT NEW.seq, NEW.context, NEW.added, NEW.labels
        WHERE NEW.context IS NOT OLD.context OR NEW.added IS NOT OLD.added OR NEW.labels IS NOT OLD.labels;
    UPDATE episodes SET added = NULL, labels = NULL
        WHERE seq = NEW.seq AND (added IS NOT NULL OR labels IS NOT NULL)
          AND (NEW.added IS OLD.added AND NEW.labels IS OLD.labels OR NEW.added IS NULL OR NEW.labels IS NULL);
END;

CREATE TRIGGER episodes_added_remove AFTER UPDATE OF added, labels ON episodes
WHEN NEW.context IS OLD.context AND NEW.added IS NULL AND NEW.labels IS NULL
 AND (OLD.added IS NOT NULL OR OLD.labels IS NOT NULL) BEGIN
    INSERT INTO episodes_text (episodes_text, rowid, context, added, labels)
        VALUES ('delete', OLD.seq, OLD.context, OLD.added, OLD.labels);
    INSERT INTO episodes_text (rowid, context, added, labels) VALUES (NEW.seq, NEW.context, NULL, NULL);
END;

CREATE TRIGGER steps_text_update AFTER UPDATE OF action, result, tool, added ON steps
WHEN (NEW.action IS NOT OLD.action OR NEW.result IS NOT OLD.result OR NEW.tool IS NOT OLD.tool
      OR NEW.added IS NOT OLD.added)
 AND NOT (NEW.action IS OLD.action AND NEW.result IS OLD.result AND NEW.tool IS OLD.tool
          AND NEW.added IS NULL AND OLD.added IS NOT NULL) BEGIN
    INSERT INTO steps_text (steps_text, rowid, action, result, tool, added)
        VALUES ('delete', OLD.seq, OLD.action, OLD.result, OLD.tool, OLD.added);
    INSERT INTO steps_text (rowid, action, result, tool, added)
        VALUES (NEW.seq, NEW.action, NEW.result, NEW.tool, NEW.added);
    UPDATE steps SET added = NULL WHERE seq = NEW.seq AND NEW.added IS OLD.added AND added IS NOT NULL;
END;

CREATE TRIGGER steps_added_remove AFTER UPDATE OF added ON steps
WHEN NEW.action IS OLD.action AND NEW.result IS OLD.result AND NEW.tool IS OLD.tool
 AND NEW.added IS NULL AND OLD.added IS NOT NULL BEGIN
    INSERT INTO steps_text (steps_text, rowid, action, result, tool, added)
        VALUES ('delete', OLD.seq, OLD.action, OLD.result, OLD.tool, OLD.added);
    INSERT INTO steps_text (rowid, action, result, tool, added)
        VALUES (NEW.seq, NEW.action, NEW.result, NEW.tool, NULL);
END;

-- The feed: caches and indexes follow a change of `added`, but nothing happened that a watcher would be told.

CREATE TRIGGER episodes_changes_update AFTER UPDATE ON episodes WHEN OLD.domain IS NEW.domain BEGIN
    INSERT INTO changes (subject, key, domain, finished, row, kind)
        VALUES ('episode', NEW.id, NEW.domain, OLD.status <> 'active' OR NEW.status <> 'active', NEW.seq,
                iif((NEW.added IS NOT OLD.added OR NEW.labels IS NOT OLD.labels) AND NEW.context IS OLD.context AND NEW.task_type IS OLD.task_type
                    AND NEW.session IS OLD.session AND NEW.metadata IS OLD.metadata AND NEW.status IS OLD.status
                    AND NEW.success_rate IS OLD.success_rate AND NEW.created_at IS OLD.created_at
                    AND NEW.completed_at IS OLD.completed_at
                    AND NEW.embedding_version IS OLD.embedding_version, 'implied', 'update'));
END;

CREATE TRIGGER steps_changes_update AFTER UPDATE ON steps BEGIN
    INSERT INTO changes (subject, key, domain, finished, row, step, kind, step_number)
        SELECT 'episode', id, domain, status <> 'active', seq, NEW.seq, 'delete', OLD.step_number FROM episodes
        WHERE id = NEW.episode_id AND OLD.step_number <> NEW.step_number;
    INSERT INTO changes (subject, key, domain, finished, row, step, kind, step_number)
        SELECT 'episode', id, domain, status <> 'active', seq, NEW.seq,
               CASE WHEN OLD.step_number <> NEW.step_number THEN 'insert'
                    WHEN NEW.added IS NOT OLD.added AND NEW.action IS OLD.action AND NEW.result IS OLD.result
                     AND NEW.tool IS OLD.tool AND NEW.duration_ms IS OLD.duration_ms AND NEW.success IS OLD.success
                     AND NEW.timestamp IS OLD.timestamp THEN 'implied'
                    ELSE 'update' END, NEW.step_number
        FROM episodes WHERE id = NEW.episode_id;
END;
