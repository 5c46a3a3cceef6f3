-- 005_change_rows: the feed says which rows changed, so that an index need not look its keys up, nor keep them.
--
-- `row` is episodes.seq or embeddings.seq; `step` is steps.seq where a change of an episode came from one of its steps,
-- and 0 where the episode went with all of them: another may come in the same row, and is not the one that went.
-- Both are NULL for patterns and in changes from before this migration.
--
-- What each kind of row is named by. An episode: whatever happens to it. A step: its own coming, changing and going, and
-- the coming of its episode; a deleted episode's change stands for its steps. An embedding: its own coming, changing and
-- going, and the coming and going of its episode. For without foreign keys (the shell's default) both stay behind, unseen,
-- and are seen again under another row when the episode comes back. What an episode says of itself is not repeated for them.

ALTER TABLE changes ADD COLUMN row  INTEGER;
ALTER TABLE changes ADD COLUMN step INTEGER;

DROP TRIGGER episodes_changes_before_insert;
DROP TRIGGER episodes_changes_insert;
DROP TRIGGER episodes_changes_update;
DROP TRIGGER episodes_changes_delete;
DROP TRIGGER steps_changes_before_insert;
DROP TRIGGER steps_changes_insert;
DROP TRIGGER steps_changes_update;
DROP TRIGGER steps_changes_delete;
DROP TRIGGER embeddings_changes_before_insert;
DROP TRIGGER embeddings_changes_insert;
DROP TRIGGER embeddings_changes_update;
DROP TRIGGER embeddings_changes_delete;

-- Episodes

CREATE TRIGGER episodes_changes_before_insert BEFORE INSERT ON episodes
WHEN EXISTS (SELECT 1 FROM episodes WHERE seq = NEW.seq OR id = NEW.id) BEGIN
    INSERT INTO changes (subject, key, domain, row, step)
        SELECT 'episode', id, domain, seq, 0 FROM episodes WHERE seq = NEW.seq OR id = NEW.id;
    INSERT INTO changes (subject, key, domain, row)
        SELECT 'embedding', m.id, e.domain, m.seq FROM episodes e JOIN embeddings m ON m.episode_id = e.id
        WHERE e.seq = NEW.seq OR e.id = NEW.id;
END;

CREATE TRIGGER episodes_changes_insert AFTER INSERT ON episodes BEGIN
    INSERT INTO changes (subject, key, domain, finished, row)
        VALUES ('episode', NEW.id, NEW.domain, NEW.status <> 'active', NEW.seq);
END;

CREATE TRIGGER episodes_changes_adopt AFTER INSERT ON episodes
WHEN EXISTS (SELECT 1 FROM embeddings WHERE episode_id = NEW.id) BEGIN
    INSERT INTO changes (subject, key, domain, row)
        SELECT 'embedding', id, NEW.domain, seq FROM embeddings WHERE episode_id = NEW.id;
END;

CREATE TRIGGER episodes_changes_adopt_steps AFTER INSERT ON episodes
WHEN EXISTS (SELECT 1 FROM steps WHERE episode_id = NEW.id) BEGIN
    INSERT INTO changes (subject, key, domain, row, step)
        SELECT 'episode', NEW.id, NEW.domain, NEW.seq, seq FROM steps WHERE episode_id = NEW.id;
END;

CREATE TRIGGER episodes_changes_update AFTER UPDATE ON episodes BEGIN
    INSERT INTO changes (subject, key, domain, finished, row)
        VALUES ('episode', NEW.id, NEW.domain, OLD.status <> 'active' OR NEW.status <> 'active', NEW.seq);
END;

CREATE TRIGGER episodes_changes_move AFTER UPDATE OF domain ON episodes WHEN OLD.domain IS NOT NEW.domain BEGIN
    INSERT INTO changes (subject, key, domain, row) VALUES ('episode', OLD.id, OLD.domain, OLD.seq);
END;

CREATE TRIGGER episodes_changes_delete AFTER DELETE ON episodes BEGIN
    INSERT INTO changes (subject, key, domain, finished, row, step)
        VALUES ('episode', OLD.id, OLD.domain, OLD.status <> 'active', OLD.seq, 0);
    INSERT INTO changes (subject, key, domain, row)
        SELECT 'embedding', id, OLD.domain, seq FROM embeddings WHERE episode_id = OLD.id;
END;

-- Steps: a step's change is a change of its episode.

CREATE TRIGGER steps_changes_before_insert BEFORE INSERT ON steps
WHEN EXISTS (SELECT 1 FROM steps WHERE seq = NEW.seq OR id = NEW.id
                OR (episode_id = NEW.episode_id AND step_number = NEW.step_number)) BEGIN
    INSERT INTO changes (subject, key, domain, row, step)
        SELECT 'episode', e.id, e.domain, e.seq, s.seq FROM steps s JOIN episodes e ON e.id = s.episode_id
        WHERE s.seq = NEW.seq OR s.id = NEW.id
           OR (s.episode_id = NEW.episode_id AND s.step_number = NEW.step_number);
END;

CREATE TRIGGER steps_changes_insert AFTER INSERT ON steps BEGIN
    INSERT INTO changes (subject, key, domain, finished, row, step)
        SELECT 'episode', id, domain, status <> 'active', seq, NEW.seq FROM episodes WHERE id = NEW.episode_id;
END;

CREATE TRIGGER steps_changes_update AFTER UPDATE ON steps BEGIN
    INSERT INTO changes (subject, key, domain, finished, row, step)
        SELECT 'episode', id, domain, status <> 'active', seq, NEW.seq FROM episodes WHERE id = NEW.episode_id;
END;

CREATE TRIGGER steps_changes_delete AFTER DELETE ON steps BEGIN
    INSERT INTO changes (subject, key, domain, finished, row, step)
        SELECT 'episode', id, domain, status <> 'active', seq, OLD.seq FROM episodes WHERE id = OLD.episode_id;
END;

-- Embeddings: the episode's own change comes through its embedding_version (002); this row is for the vector index.

CREATE TRIGGER embeddings_changes_before_insert BEFORE INSERT ON embeddings
WHEN EXISTS (SELECT 1 FROM embeddings WHERE seq = NEW.seq OR id = NEW.id) BEGIN
    INSERT INTO changes (subject, key, domain, row)
        SELECT 'embedding', m.id, e.domain, m.seq FROM embeddings m LEFT JOIN episodes e ON e.id = m.episode_id
        WHERE m.seq = NEW.seq OR m.id = NEW.id;
    INSERT INTO changes (subject, key, domain, row)
        SELECT 'episode', e.id, e.domain, e.seq FROM embeddings m JOIN episodes e ON e.id = m.episode_id
        WHERE m.seq = NEW.seq OR m.id = NEW.id;
END;

CREATE TRIGGER embeddings_changes_insert AFTER INSERT ON embeddings BEGIN
    INSERT INTO changes (subject, key, domain, finished, row)
        SELECT 'embedding', NEW.id, domain, status <> 'active', NEW.seq FROM episodes WHERE id = NEW.episode_id;
END;

CREATE TRIGGER embeddings_changes_update AFTER UPDATE ON embeddings BEGIN
    INSERT INTO changes (subject, key, domain, finished, row)
        SELECT 'embedding', NEW.id, domain, status <> 'active', NEW.seq FROM episodes WHERE id = NEW.episode_id;
END;

-- The domain is gone where the episode is, unless the episode's own trigger (above) has named it.
CREATE TRIGGER embeddings_changes_delete AFTER DELETE ON embeddings BEGIN
    INSERT INTO changes (subject, key, domain, row)
        VALUES ('embedding', OLD.id, (SELECT domain FROM episodes WHERE id = OLD.episode_id), OLD.seq);
END;
