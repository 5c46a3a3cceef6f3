-- 003_full_text: words of episodes and of their steps, kept by triggers so that the index holds for every writer.
--
-- INSERT OR REPLACE removes the rows it conflicts with and, outside recursive_triggers, fires no delete trigger: the
-- index would keep words of a row that is gone. So a BEFORE INSERT trigger sets the conflicting rows aside, and only the
-- AFTER INSERT trigger, which runs when the insert really happened, takes them out of the index. OR IGNORE and
-- ON CONFLICT DO UPDATE never get that far and leave the index alone.

CREATE VIRTUAL TABLE episodes_text USING fts5 (
    context,
    content = 'episodes', content_rowid = 'seq', tokenize = 'porter unicode61 remove_diacritics 2'
);

CREATE VIRTUAL TABLE steps_text USING fts5 (
    action, result, tool,
    content = 'steps', content_rowid = 'seq', tokenize = 'porter unicode61 remove_diacritics 2'
);

CREATE TABLE episodes_replaced (seq INTEGER PRIMARY KEY, context TEXT NOT NULL) STRICT;

CREATE TABLE steps_replaced (
    seq INTEGER PRIMARY KEY, action TEXT NOT NULL, result TEXT, tool TEXT
) STRICT;

CREATE TRIGGER episodes_text_before_insert BEFORE INSERT ON episodes BEGIN
    DELETE FROM episodes_replaced;
    INSERT INTO episodes_replaced SELECT seq, context FROM episodes WHERE seq = NEW.seq OR id = NEW.id;
END;

CREATE TRIGGER episodes_text_insert AFTER INSERT ON episodes BEGIN
    INSERT INTO episodes_text (episodes_text, rowid, context)
        SELECT 'delete', seq, context FROM episodes_replaced;
    DELETE FROM episodes_replaced;
    INSERT INTO episodes_text (rowid, context) VALUES (NEW.seq, NEW.context);
END;

CREATE TRIGGER episodes_text_update AFTER UPDATE OF context ON episodes WHEN NEW.context IS NOT OLD.context BEGIN
    INSERT INTO episodes_text (episodes_text, rowid, context) VALUES ('delete', OLD.seq, OLD.context);
    INSERT INTO episodes_text (rowid, context) VALUES (NEW.seq, NEW.context);
END;

CREATE TRIGGER episodes_text_delete AFTER DELETE ON episodes BEGIN
    DELETE FROM episodes_replaced WHERE seq = OLD.seq;
    INSERT INTO episodes_text (episodes_text, rowid, context) VALUES ('delete', OLD.seq, OLD.context);
END;

CREATE TRIGGER steps_text_before_insert BEFORE INSERT ON steps BEGIN
    DELETE FROM steps_replaced;
    INSERT INTO steps_replaced SELECT seq, action, result, tool FROM steps
        WHERE seq = NEW.seq OR id = NEW.id OR (episode_id = NEW.episode_id AND step_number = NEW.step_number);
END;

CREATE TRIGGER steps_text_insert AFTER INSERT ON steps BEGIN
    INSERT INTO steps_text (steps_text, rowid, action, result, tool)
        SELECT 'delete', seq, action, result, tool FROM steps_replaced;
    DELETE FROM steps_replaced;
    INSERT INTO steps_text (rowid, action, result, tool) VALUES (NEW.seq, NEW.action, NEW.result, NEW.tool);
END;

CREATE TRIGGER steps_text_update AFTER UPDATE OF action, result, tool ON steps
WHEN NEW.action IS NOT OLD.action OR NEW.result IS NOT OLD.result OR NEW.tool IS NOT OLD.tool BEGIN
    INSERT INTO steps_text (steps_text, rowid, action, result, tool)
        VALUES ('delete', OLD.seq, OLD.action, OLD.result, OLD.tool);
    INSERT INTO steps_text (rowid, action, result, tool) VALUES (NEW.seq, NEW.action, NEW.result, NEW.tool);
END;

CREATE TRIGGER steps_text_delete AFTER DELETE ON steps BEGIN
    DELETE FROM steps_replaced WHERE seq = OLD.seq;
    INSERT INTO steps_text (steps_text, rowid, action, result, tool)
        VALUES ('delete', OLD.seq, OLD.action, OLD.result, OLD.tool);
END;
