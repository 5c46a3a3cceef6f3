-- 002_embeddings: vectors of episodes and steps; each episode counts how often its vectors changed.

CREATE TABLE embeddings (
    seq          INTEGER PRIMARY KEY CHECK (seq > 0),
    id           TEXT    NOT NULL UNIQUE CHECK (length(CAST(id AS BLOB)) BETWEEN 1 AND 128),
    episode_id   TEXT    NOT NULL REFERENCES episodes (id) ON DELETE CASCADE,
    step_id      TEXT    REFERENCES steps (id) ON DELETE CASCADE,   -- NULL: of the whole episode
    content      TEXT    NOT NULL,                                  -- what was embedded
    embedding    BLOB    NOT NULL,                                  -- float32, little-endian
    model_name   TEXT    NOT NULL CHECK (model_name <> ''),
    dimensions   INTEGER NOT NULL CHECK (dimensions > 0),
    created_at   INTEGER NOT NULL,
    CHECK (length(embedding) = 4 * dimensions)
) STRICT;

CREATE INDEX embeddings_by_episode ON embeddings (episode_id);              -- the embeddings of an episode
CREATE INDEX embeddings_by_space   ON embeddings (model_name, dimensions);  -- the vectors of a space
CREATE INDEX embeddings_by_step    ON embeddings (step_id)                  -- deleting a step finds its own
    WHERE step_id IS NOT NULL;

ALTER TABLE episodes ADD COLUMN embedding_version INTEGER NOT NULL DEFAULT 0;

CREATE TRIGGER embeddings_count_insert AFTER INSERT ON embeddings
BEGIN UPDATE episodes SET embedding_version = embedding_version + 1 WHERE id = NEW.episode_id; END;

CREATE TRIGGER embeddings_count_update AFTER UPDATE ON embeddings
BEGIN UPDATE episodes SET embedding_version = embedding_version + 1 WHERE id = NEW.episode_id; END;

CREATE TRIGGER embeddings_count_delete AFTER DELETE ON embeddings
BEGIN UPDATE episodes SET embedding_version = embedding_version + 1 WHERE id = OLD.episode_id; END;

CREATE TRIGGER embeddings_keep_their_id BEFORE UPDATE OF seq, id, episode_id ON embeddings
WHEN NEW.seq IS NOT OLD.seq OR NEW.id IS NOT OLD.id OR NEW.episode_id IS NOT OLD.episode_id
BEGIN SELECT RAISE(ABORT, 'the id and the episode of an embedding never change'); END;
