-- 015_learning: what learning keeps of each finished run, which patterns it found, and which advice was given.

-- The symbols of a run's steps and its outcome, derived from the rows of the episode by `RunTrace`. The counts of every cell
-- (pattern, agent, domain, step, task) are sums over these rows: they go with their episode, and nothing else has to be subtracted.
CREATE TABLE run_traces (
    episode_id TEXT    NOT NULL PRIMARY KEY REFERENCES episodes (id) ON DELETE CASCADE,
    ended_at   INTEGER NOT NULL,
    steps      INTEGER NOT NULL CHECK (steps >= 0),          -- that are looked at
    trace      BLOB    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX run_traces_by_end ON run_traces (ended_at, steps);            -- the latest, as many as one learning bears

-- How far the traces follow the rows: first all episodes are looked at in their order, then the feed is followed.
CREATE TABLE trace_progress (
    singleton  INTEGER PRIMARY KEY CHECK (singleton = 1),
    format     INTEGER NOT NULL,                              -- of the traces; another one makes all of them again
    revision   INTEGER NOT NULL,                              -- of the feed, up to which traces follow
    nonce      INTEGER NOT NULL,
    scanned_to INTEGER                                        -- last episode looked at; NULL: all were
) STRICT;

-- Patterns that learning found. What is known of one is in its metadata.
CREATE TABLE learned_patterns (
    pattern_id    TEXT    NOT NULL PRIMARY KEY REFERENCES patterns (id) ON DELETE CASCADE,
    domain        TEXT    NOT NULL CHECK (domain <> ''),      -- learned patterns are shared by no two domains (I8)
    situation     TEXT    NOT NULL,                           -- the step before, or what is repeated
    found_through INTEGER NOT NULL                            -- end of the last run that it was first found from
) STRICT, WITHOUT ROWID;

CREATE INDEX learned_patterns_by_situation ON learned_patterns (domain, situation);   -- what applies after a step

-- Advice that was given to an episode, or held back from it, and what became of it.
CREATE TABLE advice (
    episode_id  TEXT    NOT NULL REFERENCES episodes (id) ON DELETE CASCADE,
    pattern_id  TEXT    NOT NULL REFERENCES patterns (id) ON DELETE CASCADE,
    step        INTEGER NOT NULL CHECK (step >= 0),           -- the last step before it
    randomised  INTEGER NOT NULL CHECK (randomised IN (0, 1)),-- whether chance decided that it was given or held back
    held_back   INTEGER NOT NULL CHECK (held_back IN (0, 1)),
    taken       INTEGER CHECK (taken IN (0, 1)),              -- NULL: nobody said
    helped      INTEGER CHECK (helped IN (0, 1)),
    given_at    INTEGER NOT NULL,
    PRIMARY KEY (episode_id, pattern_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX advice_by_pattern ON advice (pattern_id);        -- what goes with a pattern
