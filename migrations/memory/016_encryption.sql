-- 016_encryption: texts and vectors of a domain are encrypted with a key of the domain.
--
-- `sealed` is what the texts of a row are encrypted to (AES-256-GCM): a byte for the form, the number of the key in
-- `domain_keys`, nonce, ciphertext, tag. Authenticated with it are table, id, owner and number of the row, the name of the
-- domain and the version of its key, so that it is of no use in another row. NULL: the row is not encrypted.
--
-- In a sealed row the columns of texts hold keyed digests of their words (80 bits, in no order), so that full text finds
-- them; of a pattern also the digest of its data in place of the hash. `metadata` is '{}', and the content of a vector ''.
-- `embedding` has the ciphertext of the vector, and `sealed` the rest.

ALTER TABLE episodes   ADD COLUMN sealed BLOB CHECK (length(sealed) > 32);
ALTER TABLE steps      ADD COLUMN sealed BLOB CHECK (length(sealed) > 32);
ALTER TABLE patterns   ADD COLUMN sealed BLOB CHECK (length(sealed) > 32);
ALTER TABLE embeddings ADD COLUMN sealed BLOB CHECK (length(sealed) > 32);

-- Goes into the key that wraps the keys of domains, beside the key of the store, which is kept nowhere here. Another one with
-- each key of the store.
ALTER TABLE store ADD COLUMN key_salt BLOB CHECK (length(key_salt) = 32);
UPDATE store SET key_salt = randomblob(32);

-- A row for each version of the key of a domain. Versions are never used again.
CREATE TABLE domain_keys (
    number     INTEGER PRIMARY KEY AUTOINCREMENT CHECK (number BETWEEN 1 AND 4294967295),   -- what sealed rows name it by
    domain     TEXT    NOT NULL CHECK (domain <> ''),
    version    INTEGER NOT NULL CHECK (version > 0),
    state      TEXT    NOT NULL CHECK (state IN ('current', 'old', 'replaced', 'destroyed')),
    wrapped    BLOB    CHECK (length(wrapped) > 32),        -- the key, encrypted with that of the store
    admits     INTEGER NOT NULL DEFAULT 0 CHECK (admits IN (0, 1)),  -- whether the domain may still have rows that are not sealed
    created_at INTEGER NOT NULL,
    ended_at   INTEGER,
    UNIQUE (domain, version),
    CHECK ((wrapped IS NULL) = (state IN ('replaced', 'destroyed')))
) STRICT;

CREATE UNIQUE INDEX domain_keys_current ON domain_keys (domain) WHERE state = 'current';   -- the key of a domain

-- Nothing is written as it is into a domain that is encrypted, by no process: also not by one that had the store open before.

CREATE TRIGGER episodes_are_sealed_insert BEFORE INSERT ON episodes
WHEN NEW.sealed IS NULL AND EXISTS (SELECT 1 FROM domain_keys WHERE domain = NEW.domain)
BEGIN SELECT RAISE(ABORT, 'the domain is encrypted: write through an engine that has its key'); END;

CREATE TRIGGER steps_are_sealed_insert BEFORE INSERT ON steps
WHEN NEW.sealed IS NULL AND EXISTS (SELECT 1 FROM domain_keys)
 AND EXISTS (SELECT 1 FROM episodes e JOIN domain_keys k ON k.domain = e.domain WHERE e.id = NEW.episode_id)
BEGIN SELECT RAISE(ABORT, 'the domain is encrypted: write through an engine that has its key'); END;

CREATE TRIGGER embeddings_are_sealed_insert BEFORE INSERT ON embeddings
WHEN NEW.sealed IS NULL AND EXISTS (SELECT 1 FROM domain_keys)
 AND EXISTS (SELECT 1 FROM episodes e JOIN domain_keys k ON k.domain = e.domain WHERE e.id = NEW.episode_id)
BEGIN SELECT RAISE(ABORT, 'the domain is encrypted: write through an engine that has its key'); END;

CREATE TRIGGER patterns_are_sealed_insert BEFORE INSERT ON patterns
WHEN NEW.sealed IS NULL AND EXISTS (SELECT 1 FROM domain_keys WHERE domain = NEW.domain)
BEGIN SELECT RAISE(ABORT, 'the domain is encrypted: write through an engine that has its key'); END;

CREATE TRIGGER episodes_stay_sealed BEFORE UPDATE OF context, metadata, sealed ON episodes
WHEN OLD.sealed IS NOT NULL AND (NEW.sealed IS NULL
     OR NEW.sealed IS OLD.sealed AND (NEW.context IS NOT OLD.context OR NEW.metadata IS NOT OLD.metadata))
BEGIN SELECT RAISE(ABORT, 'the row is encrypted: change it through an engine that has its key'); END;

CREATE TRIGGER steps_stay_sealed BEFORE UPDATE OF action, result, tool, sealed ON steps
WHEN OLD.sealed IS NOT NULL AND (NEW.sealed IS NULL
     OR NEW.sealed IS OLD.sealed
        AND (NEW.action IS NOT OLD.action OR NEW.result IS NOT OLD.result OR NEW.tool IS NOT OLD.tool))
BEGIN SELECT RAISE(ABORT, 'the row is encrypted: change it through an engine that has its key'); END;

CREATE TRIGGER patterns_stay_sealed BEFORE UPDATE OF pattern_data, metadata, sealed ON patterns
WHEN OLD.sealed IS NOT NULL AND (NEW.sealed IS NULL
     OR NEW.sealed IS OLD.sealed AND (NEW.pattern_data IS NOT OLD.pattern_data OR NEW.metadata IS NOT OLD.metadata))
BEGIN SELECT RAISE(ABORT, 'the row is encrypted: change it through an engine that has its key'); END;

-- The hash of a pattern changes once: when it is sealed.

DROP TRIGGER patterns_keep_their_id;
CREATE TRIGGER patterns_keep_their_id BEFORE UPDATE OF seq, id, domain, pattern_type, data_hash ON patterns
WHEN NEW.seq IS NOT OLD.seq OR NEW.id IS NOT OLD.id OR NEW.domain IS NOT OLD.domain
  OR NEW.pattern_type IS NOT OLD.pattern_type
  OR NEW.data_hash IS NOT OLD.data_hash AND NOT (OLD.sealed IS NULL AND NEW.sealed IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'the id, domain, type and hash of a pattern never change'); END;

-- Vectors that are sealed again are no other vectors.

DROP TRIGGER embeddings_count_update;
CREATE TRIGGER embeddings_count_update AFTER UPDATE ON embeddings WHEN NEW.sealed IS OLD.sealed
BEGIN UPDATE episodes SET embedding_version = embedding_version + 1 WHERE id = NEW.episode_id; END;

-- Orphans (006): of a sealed row what is encrypted is kept, too, in hexadecimal.

DROP TRIGGER orphans_keep;
DROP VIEW orphans;
CREATE VIEW orphans (source, row, episode_id, id, content) AS
    SELECT 'steps', seq, episode_id, id, json_object('id', id, 'episode_id', episode_id, 'step_number', step_number,
               'action', action, 'result', result, 'tool', tool, 'duration_ms', duration_ms, 'success', success,
               'timestamp', timestamp, 'sealed', iif(sealed IS NULL, NULL, hex(sealed)))
    FROM steps WHERE NOT EXISTS (SELECT 1 FROM episodes e WHERE e.id = steps.episode_id)
    UNION ALL
    SELECT 'embeddings', seq, episode_id, id, json_object('id', id, 'episode_id', episode_id, 'step_id', step_id,
               'content', content, 'embedding', hex(embedding), 'model_name', model_name, 'dimensions', dimensions,
               'created_at', created_at, 'sealed', iif(sealed IS NULL, NULL, hex(sealed)))
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
