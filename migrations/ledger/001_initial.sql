-- 001_initial: what an agent runtime is doing now. Times are milliseconds since 1970, UTC, from the injected clock; money is in
-- micro-dollars.

-- Identifies the ledger; keys the digests of receipts and of login tokens.
CREATE TABLE ledger (
    only       INTEGER PRIMARY KEY CHECK (only = 1),
    uuid       TEXT    NOT NULL,
    digest_key BLOB    NOT NULL CHECK (length(digest_key) = 32),
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE settings (
    name       TEXT    NOT NULL PRIMARY KEY CHECK (name <> ''),
    value      TEXT    NOT NULL CHECK (json_valid(value)),
    changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE maintenance (
    task        TEXT    NOT NULL PRIMARY KEY CHECK (task <> ''),
    started_at  INTEGER NOT NULL,
    finished_at INTEGER,                                     -- NULL: it runs, or was cut short
    outcome     TEXT    CHECK (outcome IS NULL OR json_valid(outcome))
) STRICT, WITHOUT ROWID;

-- ---------------------------------------------------------------- People

CREATE TABLE people (
    seq            INTEGER PRIMARY KEY CHECK (seq > 0),
    id             TEXT    NOT NULL UNIQUE CHECK (length(CAST(id AS BLOB)) BETWEEN 1 AND 128),
    handle         TEXT    NOT NULL UNIQUE CHECK (handle <> ''),
    tier           TEXT    NOT NULL DEFAULT 'free' CHECK (tier <> ''),   -- free, premium, enterprise; open
    requests       INTEGER NOT NULL DEFAULT 0 CHECK (requests >= 0),     -- in all
    month          INTEGER NOT NULL DEFAULT 0,                           -- months since 1970 that month_requests is of
    month_requests INTEGER NOT NULL DEFAULT 0 CHECK (month_requests >= 0),
    window_resets  INTEGER,                                              -- end of the running window of the rate limit
    window_count   INTEGER NOT NULL DEFAULT 0 CHECK (window_count >= 0),
    rate_limit     INTEGER CHECK (rate_limit > 0),                       -- requests a window; NULL: that of the tier
    last_active    INTEGER,
    email          TEXT    CHECK (email <> ''),
    verifier       TEXT    CHECK (verifier IS NULL OR json_valid(verifier)),  -- of the password: algorithm, parameters, salt, digest
    zone           TEXT    NOT NULL DEFAULT 'UTC' CHECK (zone <> ''),    -- IANA name
    preferences    TEXT    NOT NULL DEFAULT '{}'
                           CHECK (json_valid(preferences) AND json_type(preferences) = 'object'),
    created_at     INTEGER NOT NULL
) STRICT;

CREATE INDEX people_by_tier     ON people (tier, created_at);            -- people of a tier; growth by day
CREATE INDEX people_by_activity ON people (last_active)                  -- active since
    WHERE last_active IS NOT NULL;
CREATE INDEX people_by_creation ON people (created_at);                  -- growth by day with a running total

CREATE TABLE logins (
    digest     BLOB    NOT NULL PRIMARY KEY CHECK (length(digest) = 32), -- of the token, which is nowhere
    person_id  TEXT    NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL CHECK (expires_at > created_at)
) STRICT, WITHOUT ROWID;

CREATE INDEX logins_by_person ON logins (person_id);                     -- logins of a person
CREATE INDEX logins_by_expiry ON logins (expires_at);                    -- expired logins

-- ---------------------------------------------------------------- Tasks

CREATE TABLE tasks (
    seq          INTEGER PRIMARY KEY CHECK (seq > 0),
    id           TEXT    NOT NULL UNIQUE CHECK (length(CAST(id AS BLOB)) BETWEEN 1 AND 128),
    type         TEXT    NOT NULL CHECK (type <> ''),
    params       TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(params)),
    priority     INTEGER NOT NULL DEFAULT 2 CHECK (priority BETWEEN 0 AND 4),    -- urgent, high, normal, low, batch
    status       TEXT    NOT NULL DEFAULT 'pending'
                         CHECK (status IN ('pending', 'in_progress', 'completed', 'failed', 'cancelled')),
    is_ready     INTEGER NOT NULL DEFAULT 1 CHECK (is_ready IN (0, 1)),          -- 0: pending and before not_before
    attempts     INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    max_attempts INTEGER NOT NULL DEFAULT 3 CHECK (max_attempts > 0),
    crashes      INTEGER NOT NULL DEFAULT 0 CHECK (crashes >= 0),                -- leases that ran out
    max_crashes  INTEGER NOT NULL DEFAULT 3 CHECK (max_crashes > 0),             -- then it is set aside: failed
    not_before   INTEGER NOT NULL,
    lease_until  INTEGER,
    waits_since  INTEGER NOT NULL,                                               -- when not_before or lease_until was set
    worker_id    TEXT,                                                           -- the claimant, or the last one
    is_cancelling INTEGER NOT NULL DEFAULT 0 CHECK (is_cancelling IN (0, 1)),    -- told to the claimant at its next heartbeat
    error        TEXT,
    category     TEXT    CHECK (category <> ''),     -- coding, debug, design, documentation, analysis, general; open
    complexity   REAL    CHECK (complexity BETWEEN 0 AND 1),
    tokens       INTEGER CHECK (tokens >= 0),
    request      TEXT,
    response     TEXT,
    content_hash TEXT    CHECK (length(content_hash) = 64),
    person_id    TEXT    REFERENCES people (id) ON DELETE SET NULL,
    domain       TEXT    NOT NULL CHECK (domain <> ''),
    session      TEXT    CHECK (session <> ''),
    parent_id    TEXT    REFERENCES tasks (id) ON DELETE SET NULL,
    created_at   INTEGER NOT NULL,
    started_at   INTEGER,
    completed_at INTEGER,
    CHECK ((status = 'in_progress') = (lease_until IS NOT NULL)),
    CHECK (status <> 'in_progress' OR worker_id IS NOT NULL),
    CHECK ((status IN ('completed', 'failed', 'cancelled')) = (completed_at IS NOT NULL))
) STRICT;

CREATE INDEX tasks_next         ON tasks (priority, created_at, not_before, seq)          -- next tasks by priority and age
    WHERE status = 'pending' AND is_ready = 1;
CREATE INDEX tasks_next_of_type ON tasks (type, priority, created_at, not_before, seq)    -- the same of a type
    WHERE status = 'pending' AND is_ready = 1;
CREATE INDEX tasks_next_of_domain ON tasks (domain, priority, created_at, not_before, seq)  -- the same of a domain
    WHERE status = 'pending' AND is_ready = 1;
CREATE INDEX tasks_delayed      ON tasks (not_before, priority, created_at)                       -- those to wake; depth of the queue
    WHERE status = 'pending' AND is_ready = 0;
CREATE INDEX tasks_leased       ON tasks (lease_until) WHERE status = 'in_progress';              -- leases that ran out
CREATE INDEX tasks_leased_since ON tasks (waits_since) WHERE status = 'in_progress';              -- leases given after now,
CREATE INDEX tasks_backing_off  ON tasks (waits_since)                                            -- and retries set after now:
    WHERE status = 'pending' AND is_ready = 0 AND attempts > 0;                                   -- the clock was set back
CREATE INDEX tasks_of_worker    ON tasks (worker_id) WHERE status = 'in_progress';                -- what a worker has
CREATE UNIQUE INDEX tasks_once  ON tasks (domain, content_hash)                           -- the same work is queued once
    WHERE content_hash IS NOT NULL AND status IN ('pending', 'in_progress');
CREATE INDEX tasks_by_status    ON tasks (status, created_at);                            -- depth and age of the queue
CREATE INDEX tasks_by_domain    ON tasks (domain, created_at);                            -- tasks of a domain
CREATE INDEX tasks_by_person    ON tasks (person_id, created_at) WHERE person_id IS NOT NULL;     -- top people by tasks
CREATE INDEX tasks_by_category  ON tasks (category, completed_at, status, complexity, started_at)    -- categories over 30 days
    WHERE completed_at IS NOT NULL;
CREATE INDEX tasks_by_end       ON tasks (completed_at, status, started_at)                          -- daily trend, retention
    WHERE completed_at IS NOT NULL;
CREATE INDEX tasks_by_creation  ON tasks (created_at);                                    -- the latest tasks
CREATE INDEX tasks_by_parent    ON tasks (parent_id) WHERE parent_id IS NOT NULL;         -- children
CREATE INDEX tasks_by_session   ON tasks (session, created_at) WHERE session IS NOT NULL; -- tasks of a session

-- Finished tasks older than a year, as they were; nothing refers to them.
CREATE TABLE tasks_archive (
    seq          INTEGER PRIMARY KEY CHECK (seq > 0),
    id           TEXT    NOT NULL UNIQUE,
    type         TEXT    NOT NULL,
    params       TEXT    NOT NULL CHECK (json_valid(params)),
    priority     INTEGER NOT NULL,
    status       TEXT    NOT NULL CHECK (status IN ('completed', 'failed', 'cancelled')),
    attempts     INTEGER NOT NULL,
    max_attempts INTEGER NOT NULL,
    crashes      INTEGER NOT NULL,
    max_crashes  INTEGER NOT NULL,
    not_before   INTEGER NOT NULL,
    worker_id    TEXT,
    error        TEXT,
    category     TEXT,
    complexity   REAL,
    tokens       INTEGER,
    request      TEXT,
    response     TEXT,
    content_hash TEXT,
    person_id    TEXT,
    domain       TEXT    NOT NULL,
    session      TEXT,
    parent_id    TEXT,
    created_at   INTEGER NOT NULL,
    started_at   INTEGER,
    completed_at INTEGER NOT NULL,
    archived_at  INTEGER NOT NULL
) STRICT;

CREATE INDEX archived_tasks_by_domain ON tasks_archive (domain, created_at);             -- archived tasks of a domain

-- ---------------------------------------------------------------- Results and outbox

CREATE TABLE results (
    seq             INTEGER PRIMARY KEY CHECK (seq > 0),
    id              TEXT    NOT NULL UNIQUE CHECK (length(CAST(id AS BLOB)) BETWEEN 1 AND 128),
    task_id         TEXT    NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    success         INTEGER NOT NULL CHECK (success IN (0, 1)),
    data            TEXT    NOT NULL DEFAULT 'null' CHECK (json_valid(data)),
    error           TEXT,
    duration_ms     INTEGER CHECK (duration_ms >= 0),
    screenshot_path TEXT,
    log_path        TEXT,
    created_at      INTEGER NOT NULL
) STRICT;

CREATE INDEX results_by_task     ON results (task_id, seq);               -- results of a task
CREATE INDEX results_by_creation ON results (created_at);                 -- retention

-- Of the undelivered messages of a key the first is ready, waiting or sending; those behind it are queued.
CREATE TABLE outbox (
    seq             INTEGER PRIMARY KEY AUTOINCREMENT CHECK (seq > 0),    -- the order within a key; never given twice
    id              TEXT    NOT NULL UNIQUE CHECK (length(CAST(id AS BLOB)) BETWEEN 1 AND 128),
    kind            TEXT    NOT NULL CHECK (kind <> ''),                  -- tasks, results, signals; open
    key             TEXT    NOT NULL CHECK (key <> ''),                   -- order holds per key
    payload         TEXT    NOT NULL CHECK (json_valid(payload)),
    result_id       TEXT    REFERENCES results (id) ON DELETE CASCADE,    -- what it delivers, if that is a result
    status          TEXT    NOT NULL DEFAULT 'queued'
                            CHECK (status IN ('queued', 'ready', 'waiting', 'sending', 'delivered', 'dead')),
    attempts        INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),     -- that ended, whatever came of them
    not_before      INTEGER,                                              -- not sent earlier, whatever the clock does
    next_attempt_at INTEGER NOT NULL,
    waits_since     INTEGER NOT NULL,                                     -- when next_attempt_at or lease_until was set
    lease_until     INTEGER,                                              -- a sender has it until then
    sender          TEXT,                                                 -- the round that has it
    delivered_at    INTEGER,
    dead_at         INTEGER,                                              -- given up; can be put back
    error           TEXT,
    created_at      INTEGER NOT NULL,
    CHECK ((status = 'sending') = (lease_until IS NOT NULL)),
    CHECK ((lease_until IS NULL) = (sender IS NULL)),
    CHECK ((status = 'delivered') = (delivered_at IS NOT NULL)),
    CHECK ((status = 'dead') = (dead_at IS NOT NULL))
) STRICT;

CREATE INDEX outbox_undelivered ON outbox (seq)                           -- undelivered, oldest first
    WHERE delivered_at IS NULL AND dead_at IS NULL;
CREATE INDEX outbox_by_key      ON outbox (key, seq)                      -- the first of each key
    WHERE delivered_at IS NULL AND dead_at IS NULL;
CREATE INDEX outbox_ready       ON outbox (seq) WHERE status = 'ready';                   -- what is to be sent
CREATE INDEX outbox_ready_of_kind ON outbox (kind, seq) WHERE status = 'ready';           -- the same of a kind
CREATE INDEX outbox_waiting     ON outbox (next_attempt_at) WHERE status = 'waiting';     -- those to wake
CREATE INDEX outbox_leased      ON outbox (lease_until) WHERE status = 'sending';         -- leases that ran out
CREATE INDEX outbox_waits       ON outbox (waits_since)                                   -- waits that began after now:
    WHERE status IN ('waiting', 'sending');                                               -- the clock was set back
CREATE INDEX outbox_dead        ON outbox (dead_at, seq) WHERE dead_at IS NOT NULL;       -- dead letters
CREATE INDEX outbox_dead_by_key ON outbox (key) WHERE dead_at IS NOT NULL;                -- what may be put back of a key
CREATE INDEX outbox_delivered   ON outbox (delivered_at) WHERE delivered_at IS NOT NULL;  -- retention
CREATE INDEX outbox_by_result   ON outbox (result_id) WHERE result_id IS NOT NULL;        -- the delivery of a result

-- Triggers choose the first message of a key, so that it is chosen whoever inserts, delivers or deletes.
CREATE TRIGGER outbox_inserted AFTER INSERT ON outbox
WHEN NEW.status = 'queued'
BEGIN
    UPDATE outbox SET status = CASE WHEN next_attempt_at <= created_at THEN 'ready' ELSE 'waiting' END
    WHERE seq = NEW.seq AND NOT EXISTS (
        SELECT 1 FROM outbox WHERE key = NEW.key AND delivered_at IS NULL AND dead_at IS NULL AND seq <> NEW.seq);
END;
CREATE TRIGGER outbox_ended AFTER UPDATE OF status ON outbox
WHEN OLD.status IN ('ready', 'waiting', 'sending') AND NEW.status IN ('delivered', 'dead')
BEGIN
    UPDATE outbox SET status = CASE
        WHEN next_attempt_at <= coalesce(NEW.delivered_at, NEW.dead_at) THEN 'ready' ELSE 'waiting' END
    WHERE seq = (SELECT min(seq) FROM outbox WHERE key = NEW.key AND delivered_at IS NULL AND dead_at IS NULL);
END;
CREATE TRIGGER outbox_removed AFTER DELETE ON outbox
WHEN OLD.status IN ('ready', 'waiting', 'sending')
BEGIN
    UPDATE outbox SET status = 'waiting'
    WHERE seq = (SELECT min(seq) FROM outbox WHERE key = OLD.key AND delivered_at IS NULL AND dead_at IS NULL);
END;

CREATE TABLE deliveries (
    seq         INTEGER PRIMARY KEY CHECK (seq > 0),
    direction   TEXT    NOT NULL CHECK (direction IN ('download', 'upload')),
    kind        TEXT    NOT NULL CHECK (kind <> ''),
    count       INTEGER NOT NULL CHECK (count >= 0),                      -- of what was carried
    success     INTEGER NOT NULL CHECK (success IN (0, 1)),
    error       TEXT,
    duration_ms INTEGER CHECK (duration_ms >= 0),
    created_at  INTEGER NOT NULL
) STRICT;

CREATE INDEX deliveries_by_creation ON deliveries (created_at);           -- latency over a window, retention

-- ---------------------------------------------------------------- Signals and pages

CREATE TABLE signals (
    seq           INTEGER PRIMARY KEY CHECK (seq > 0),
    selector      TEXT    NOT NULL CHECK (selector <> ''),
    selector_type TEXT    NOT NULL CHECK (selector_type IN ('css', 'xpath', 'id', 'name')),
    success       INTEGER NOT NULL CHECK (success IN (0, 1)),
    context       TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(context)),   -- URL, title
    error         TEXT,
    duration_ms   INTEGER CHECK (duration_ms >= 0),
    task_id       TEXT    REFERENCES tasks (id) ON DELETE SET NULL,
    domain        TEXT    NOT NULL CHECK (domain <> ''),
    created_at    INTEGER NOT NULL
) STRICT;

CREATE INDEX signals_by_selector ON signals (domain, selector_type, selector, created_at, success);  -- success per selector over a window
CREATE INDEX signals_by_creation ON signals (created_at);                 -- retention, consolidation
CREATE INDEX signals_by_task     ON signals (task_id) WHERE task_id IS NOT NULL;

CREATE TABLE pages (
    seq           INTEGER PRIMARY KEY CHECK (seq > 0),
    key           TEXT    NOT NULL UNIQUE CHECK (key <> ''),
    data          BLOB    NOT NULL,
    type          TEXT    NOT NULL CHECK (type IN ('html', 'json', 'text')),
    size          INTEGER NOT NULL CHECK (size = length(data)),
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    access_count  INTEGER NOT NULL DEFAULT 0 CHECK (access_count >= 0),
    last_accessed INTEGER NOT NULL
) STRICT;

CREATE INDEX pages_by_expiry ON pages (expires_at);                       -- expired pages
CREATE INDEX pages_by_use    ON pages (last_accessed, seq, size);         -- the least recently used ones

-- The bytes of all pages together, kept by triggers.
CREATE TABLE page_bytes (
    only  INTEGER PRIMARY KEY CHECK (only = 1),
    bytes INTEGER NOT NULL CHECK (bytes >= 0)
) STRICT;
INSERT INTO page_bytes (only, bytes) VALUES (1, 0);

CREATE TRIGGER pages_bytes_added AFTER INSERT ON pages
BEGIN UPDATE page_bytes SET bytes = bytes + NEW.size; END;
CREATE TRIGGER pages_bytes_changed AFTER UPDATE OF size ON pages WHEN NEW.size <> OLD.size
BEGIN UPDATE page_bytes SET bytes = bytes - OLD.size + NEW.size; END;
CREATE TRIGGER pages_bytes_removed AFTER DELETE ON pages
BEGIN UPDATE page_bytes SET bytes = bytes - OLD.size; END;

-- Hits and misses of pages by the hour since 1970.
CREATE TABLE page_hours (
    hour   INTEGER NOT NULL PRIMARY KEY,
    hits   INTEGER NOT NULL CHECK (hits >= 0),
    misses INTEGER NOT NULL CHECK (misses >= 0)
) STRICT, WITHOUT ROWID;

-- ---------------------------------------------------------------- Workers, agents, runs

CREATE TABLE workers (
    seq             INTEGER PRIMARY KEY CHECK (seq > 0),
    id              TEXT    NOT NULL UNIQUE CHECK (length(CAST(id AS BLOB)) BETWEEN 1 AND 128),
    kind            TEXT    NOT NULL CHECK (kind <> ''),                  -- browser; open
    pid             INTEGER CHECK (pid > 0),
    status          TEXT    NOT NULL CHECK (status IN ('idle', 'busy', 'crashed', 'restarting', 'stopped')),
    current_task    TEXT    REFERENCES tasks (id) ON DELETE SET NULL,
    tasks_completed INTEGER NOT NULL DEFAULT 0 CHECK (tasks_completed >= 0),
    launches        INTEGER NOT NULL DEFAULT 1 CHECK (launches >= 0),
    memory_bytes    INTEGER CHECK (memory_bytes >= 0),
    last_heartbeat  INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    restarted_at    INTEGER
) STRICT;

CREATE INDEX workers_by_heartbeat ON workers (status, last_heartbeat);    -- those that are silent
CREATE INDEX workers_by_task      ON workers (current_task) WHERE current_task IS NOT NULL;

CREATE TABLE agents (
    seq           INTEGER PRIMARY KEY CHECK (seq > 0),
    id            TEXT    NOT NULL UNIQUE CHECK (length(CAST(id AS BLOB)) BETWEEN 1 AND 128),
    name          TEXT    NOT NULL UNIQUE CHECK (name <> ''),
    type          TEXT    NOT NULL CHECK (type IN ('planner', 'builder', 'reviewer', 'tester', 'orchestrator', 'utility')),
    capabilities  TEXT    NOT NULL DEFAULT '[]'
                          CHECK (json_valid(capabilities) AND json_type(capabilities) = 'array'),
    default_model TEXT    CHECK (default_model <> ''),
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE runs (
    seq            INTEGER PRIMARY KEY CHECK (seq > 0),
    id             TEXT    NOT NULL UNIQUE CHECK (length(CAST(id AS BLOB)) BETWEEN 1 AND 128),
    agent_id       TEXT    REFERENCES agents (id) ON DELETE SET NULL,
    session        TEXT    CHECK (session <> ''),
    parent_id      TEXT    REFERENCES runs (id) ON DELETE SET NULL,
    task_id        TEXT    REFERENCES tasks (id) ON DELETE SET NULL,
    domain         TEXT    NOT NULL CHECK (domain <> ''),
    task_type      TEXT    NOT NULL CHECK (task_type <> ''),              -- of the episode that it becomes
    status         TEXT    NOT NULL DEFAULT 'initializing'
                           CHECK (status IN ('initializing', 'planning', 'executing', 'reviewing', 'completed', 'failed', 'cancelled')),
    context        TEXT    NOT NULL DEFAULT '',
    config         TEXT    NOT NULL DEFAULT '{}'
                           CHECK (json_valid(config) AND json_type(config) = 'object'),
    success_rate   REAL    CHECK (success_rate BETWEEN 0 AND 1),
    cost           INTEGER NOT NULL DEFAULT 0 CHECK (cost >= 0),          -- the sum of its prompts and tool calls, kept by triggers
    error          TEXT,
    pid            INTEGER CHECK (pid > 0),
    last_heartbeat INTEGER NOT NULL,
    started_at     INTEGER NOT NULL,
    completed_at   INTEGER,
    episode_id     TEXT    CHECK (length(CAST(episode_id AS BLOB)) BETWEEN 1 AND 128),  -- what it became (I7)
    CHECK ((status IN ('completed', 'failed', 'cancelled')) = (completed_at IS NOT NULL))
) STRICT;

CREATE INDEX runs_by_session     ON runs (session, started_at) WHERE session IS NOT NULL;  -- runs of a session
CREATE INDEX runs_by_parent      ON runs (parent_id) WHERE parent_id IS NOT NULL;          -- a run's tree
CREATE INDEX runs_by_task        ON runs (task_id) WHERE task_id IS NOT NULL;
CREATE INDEX runs_by_agent       ON runs (agent_id, started_at) WHERE agent_id IS NOT NULL; -- runs of an agent
CREATE INDEX runs_by_domain      ON runs (domain, started_at);                             -- runs of a domain
CREATE INDEX runs_by_status      ON runs (status, started_at);                             -- runs of a status
CREATE INDEX runs_by_start       ON runs (started_at);                                     -- cost by agent and session
CREATE INDEX runs_living         ON runs (last_heartbeat) WHERE completed_at IS NULL;      -- those that are silent
CREATE INDEX runs_unconsolidated ON runs (completed_at, seq)                               -- those to become episodes
    WHERE completed_at IS NOT NULL AND episode_id IS NULL;

CREATE TRIGGER runs_change_legally BEFORE UPDATE OF status ON runs
WHEN NEW.status IS NOT OLD.status AND NOT (
     OLD.status = 'initializing' AND NEW.status IN ('planning', 'executing', 'failed', 'cancelled')
  OR OLD.status = 'planning'     AND NEW.status IN ('executing', 'failed', 'cancelled')
  OR OLD.status = 'executing'    AND NEW.status IN ('planning', 'reviewing', 'completed', 'failed', 'cancelled')
  OR OLD.status = 'reviewing'    AND NEW.status IN ('executing', 'completed', 'failed', 'cancelled'))
BEGIN SELECT RAISE(ABORT, 'a run does not change its status so'); END;

CREATE TRIGGER tasks_change_legally BEFORE UPDATE OF status ON tasks
WHEN NEW.status IS NOT OLD.status AND NOT (
     OLD.status = 'pending'     AND NEW.status IN ('in_progress', 'cancelled')
  OR OLD.status = 'in_progress' AND NEW.status IN ('pending', 'completed', 'failed', 'cancelled')
  OR OLD.status = 'failed'      AND NEW.status = 'pending')
BEGIN SELECT RAISE(ABORT, 'a task does not change its status so'); END;

-- ---------------------------------------------------------------- Prompts and tool calls

CREATE TABLE prompts (
    seq          INTEGER PRIMARY KEY CHECK (seq > 0),
    id           TEXT    NOT NULL UNIQUE CHECK (length(CAST(id AS BLOB)) BETWEEN 1 AND 128),
    run_id       TEXT    NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    position     INTEGER NOT NULL CHECK (position > 0),                   -- among prompts and tool calls of the run
    type         TEXT    NOT NULL CHECK (type IN ('command', 'workflow', 'followup', 'correction', 'tool_call')),
    name         TEXT    CHECK (name <> ''),
    text         TEXT    NOT NULL,
    status       TEXT    NOT NULL DEFAULT 'pending'
                         CHECK (status IN ('pending', 'streaming', 'completed', 'failed', 'cancelled')),
    response     TEXT,                                                    -- whole, when it has ended
    model        TEXT    CHECK (model <> ''),
    tokens_in    INTEGER NOT NULL DEFAULT 0 CHECK (tokens_in >= 0),
    tokens_out   INTEGER NOT NULL DEFAULT 0 CHECK (tokens_out >= 0),
    cost         INTEGER NOT NULL DEFAULT 0 CHECK (cost >= 0),
    latency_ms   INTEGER CHECK (latency_ms >= 0),
    error        TEXT,
    created_at   INTEGER NOT NULL,
    completed_at INTEGER,
    CHECK ((status IN ('completed', 'failed', 'cancelled')) = (completed_at IS NOT NULL))
) STRICT;

CREATE UNIQUE INDEX prompts_by_run ON prompts (run_id, position);         -- prompts of a run, in order
CREATE INDEX prompts_open       ON prompts (run_id)                       -- those that end with their run
    WHERE status IN ('pending', 'streaming');
CREATE INDEX prompts_unfinished ON prompts (status, created_at)           -- prompts that are pending or failed
    WHERE status IN ('pending', 'streaming', 'failed');
CREATE INDEX prompts_by_creation ON prompts (created_at, model, cost, tokens_in, tokens_out);  -- cost by model and day

-- The parts of a response that streams, appended without rewriting; joined into `response` when it has ended.
CREATE TABLE response_parts (
    prompt INTEGER NOT NULL REFERENCES prompts (seq) ON DELETE CASCADE,
    number INTEGER NOT NULL CHECK (number > 0),
    text   TEXT    NOT NULL,
    bytes  INTEGER NOT NULL CHECK (bytes >= 0),                           -- of the response with this part
    PRIMARY KEY (prompt, number)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER prompts_change_legally BEFORE UPDATE OF status ON prompts
WHEN NEW.status IS NOT OLD.status AND NOT (
     OLD.status = 'pending'   AND NEW.status IN ('streaming', 'completed', 'failed', 'cancelled')
  OR OLD.status = 'streaming' AND NEW.status IN ('completed', 'failed', 'cancelled'))
BEGIN SELECT RAISE(ABORT, 'a prompt does not change its status so'); END;

CREATE TRIGGER prompts_join_response AFTER UPDATE OF status ON prompts
WHEN OLD.status = 'streaming' AND NEW.status <> 'streaming'
BEGIN
    UPDATE prompts SET response = coalesce(
        response,
        (SELECT group_concat(text, '') FROM (SELECT text FROM response_parts WHERE prompt = NEW.seq ORDER BY number)), '')
    WHERE seq = NEW.seq;
    DELETE FROM response_parts WHERE prompt = NEW.seq;
END;

-- What a run leaves open ends with it, so that nothing waits for a response that cannot come.
CREATE TRIGGER runs_end_prompts AFTER UPDATE OF status ON runs
WHEN NEW.completed_at IS NOT NULL AND OLD.completed_at IS NULL
BEGIN
    UPDATE prompts SET
        status = CASE NEW.status WHEN 'failed' THEN 'failed' ELSE 'cancelled' END,
        error = 'the run ended before it: ' || NEW.status, completed_at = NEW.completed_at
    WHERE run_id = NEW.id AND status IN ('pending', 'streaming');
END;

CREATE TABLE tool_calls (
    seq         INTEGER PRIMARY KEY CHECK (seq > 0),
    id          TEXT    NOT NULL UNIQUE CHECK (length(CAST(id AS BLOB)) BETWEEN 1 AND 128),
    run_id      TEXT    NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    prompt_id   TEXT    REFERENCES prompts (id) ON DELETE SET NULL,
    position    INTEGER NOT NULL CHECK (position > 0),
    tool        TEXT    NOT NULL CHECK (tool <> ''),
    arguments   TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(arguments)),
    result      TEXT,
    success     INTEGER CHECK (success IN (0, 1)),
    error       TEXT,
    duration_ms INTEGER CHECK (duration_ms >= 0),
    tokens      INTEGER NOT NULL DEFAULT 0 CHECK (tokens >= 0),
    cost        INTEGER NOT NULL DEFAULT 0 CHECK (cost >= 0),
    created_at  INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX tool_calls_by_run ON tool_calls (run_id, position);   -- tool calls of a run, in order
CREATE INDEX tool_calls_by_cost ON tool_calls (created_at, cost, tokens)  -- cost by day
    WHERE cost > 0 OR tokens > 0;
CREATE INDEX tool_calls_by_prompt ON tool_calls (prompt_id) WHERE prompt_id IS NOT NULL;

CREATE TRIGGER prompts_cost_added AFTER INSERT ON prompts WHEN NEW.cost > 0
BEGIN UPDATE runs SET cost = cost + NEW.cost WHERE id = NEW.run_id; END;
CREATE TRIGGER prompts_cost_changed AFTER UPDATE OF cost ON prompts WHEN NEW.cost <> OLD.cost
BEGIN UPDATE runs SET cost = cost - OLD.cost + NEW.cost WHERE id = NEW.run_id; END;
CREATE TRIGGER prompts_cost_removed AFTER DELETE ON prompts WHEN OLD.cost > 0
BEGIN UPDATE runs SET cost = cost - OLD.cost WHERE id = OLD.run_id; END;
CREATE TRIGGER tool_calls_cost_added AFTER INSERT ON tool_calls WHEN NEW.cost > 0
BEGIN UPDATE runs SET cost = cost + NEW.cost WHERE id = NEW.run_id; END;
CREATE TRIGGER tool_calls_cost_changed AFTER UPDATE OF cost ON tool_calls WHEN NEW.cost <> OLD.cost
BEGIN UPDATE runs SET cost = cost - OLD.cost + NEW.cost WHERE id = NEW.run_id; END;
CREATE TRIGGER tool_calls_cost_removed AFTER DELETE ON tool_calls WHEN OLD.cost > 0
BEGIN UPDATE runs SET cost = cost - OLD.cost WHERE id = OLD.run_id; END;

-- ---------------------------------------------------------------- Events and samples

CREATE TABLE events (
    seq        INTEGER PRIMARY KEY CHECK (seq > 0),
    level      INTEGER NOT NULL CHECK (level BETWEEN 0 AND 4),            -- debug, info, warning, error, critical
    kind       TEXT    NOT NULL CHECK (kind <> ''),                       -- state_change, milestone, error, ...; open
    component  TEXT    NOT NULL CHECK (component <> ''),                  -- orchestrator, database, websocket, api; open
    error_type TEXT    CHECK (error_type <> ''),                          -- api, validation, timeout, ...; open
    run_id     TEXT    REFERENCES runs (id) ON DELETE CASCADE,
    task_id    TEXT    REFERENCES tasks (id) ON DELETE SET NULL,
    person_id  TEXT    REFERENCES people (id) ON DELETE SET NULL,
    message    TEXT    NOT NULL,
    details    TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(details)),
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX events_by_run        ON events (run_id, created_at) WHERE run_id IS NOT NULL;     -- events of a run
CREATE INDEX events_by_level      ON events (level, created_at);                               -- events of a level; retention
CREATE INDEX events_by_error_type ON events (error_type, created_at) WHERE error_type IS NOT NULL;  -- errors of a type
CREATE INDEX events_by_person     ON events (person_id, created_at) WHERE person_id IS NOT NULL;    -- errors of a person
CREATE INDEX events_by_task       ON events (task_id, created_at) WHERE task_id IS NOT NULL;   -- events of a task
CREATE INDEX events_errors        ON events (created_at, error_type, person_id, level)         -- error rates by type and by person
    WHERE level >= 3 OR error_type IS NOT NULL;
CREATE INDEX events_by_creation   ON events (created_at);                                      -- the latest events

CREATE TABLE series (
    seq    INTEGER PRIMARY KEY CHECK (seq > 0),
    name   TEXT    NOT NULL CHECK (name <> ''),
    labels TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(labels) AND json_type(labels) = 'object'),
    UNIQUE (name, labels)
) STRICT;

CREATE TABLE samples (
    series INTEGER NOT NULL REFERENCES series (seq) ON DELETE CASCADE,
    at     INTEGER NOT NULL,
    seq    INTEGER NOT NULL,                                              -- several at one time
    value  REAL    NOT NULL,
    PRIMARY KEY (series, at, seq)                                         -- samples of a series over a window
) STRICT, WITHOUT ROWID;

-- ---------------------------------------------------------------- Files and states

CREATE TABLE file_accesses (
    seq       INTEGER PRIMARY KEY CHECK (seq > 0),
    path      TEXT    NOT NULL CHECK (path <> ''),
    operation TEXT    NOT NULL CHECK (operation IN ('read', 'write', 'create', 'delete')),
    run_id    TEXT    REFERENCES runs (id) ON DELETE CASCADE,
    task_id   TEXT    REFERENCES tasks (id) ON DELETE CASCADE,
    at        INTEGER NOT NULL,
    CHECK (run_id IS NOT NULL OR task_id IS NOT NULL)
) STRICT;

CREATE INDEX file_accesses_by_path ON file_accesses (path, seq);                               -- who touched a file
CREATE INDEX file_accesses_by_run  ON file_accesses (run_id, seq) WHERE run_id IS NOT NULL;    -- files of a run
CREATE INDEX file_accesses_by_task ON file_accesses (task_id, seq) WHERE task_id IS NOT NULL;  -- files of a task

CREATE TABLE states (
    application TEXT    NOT NULL CHECK (application <> ''),
    name        TEXT    NOT NULL CHECK (name <> ''),
    version     INTEGER NOT NULL CHECK (version > 0),
    value       TEXT    CHECK (value IS NULL OR json_valid(value)),  -- NULL: deleted; no version is given twice all the same
    changed_at  INTEGER NOT NULL,
    PRIMARY KEY (application, name)                          -- states of an application
) STRICT, WITHOUT ROWID;

-- The last versions of each state, the current one included.
CREATE TABLE state_versions (
    application TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    value       TEXT    NOT NULL CHECK (json_valid(value)),
    changed_at  INTEGER NOT NULL,
    PRIMARY KEY (application, name, version),
    FOREIGN KEY (application, name) REFERENCES states (application, name) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- ---------------------------------------------------------------- Notices and alerts

CREATE TABLE templates (
    name       TEXT    NOT NULL PRIMARY KEY CHECK (name <> ''),
    type       TEXT    NOT NULL CHECK (type <> ''),                       -- task_completion, system; open
    subject    TEXT    NOT NULL,
    body       TEXT    NOT NULL,
    variables  TEXT    NOT NULL CHECK (json_valid(variables) AND json_type(variables) = 'array'),
    changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE notices (
    seq          INTEGER PRIMARY KEY CHECK (seq > 0),
    id           TEXT    NOT NULL UNIQUE CHECK (length(CAST(id AS BLOB)) BETWEEN 1 AND 128),
    recipient    TEXT    NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    channel      TEXT    NOT NULL CHECK (channel IN ('email', 'sms', 'slack', 'webhook')),
    type         TEXT    NOT NULL CHECK (type <> ''),
    level        TEXT    NOT NULL CHECK (level IN ('info', 'warning', 'critical')),
    subject      TEXT    NOT NULL,
    body         TEXT    NOT NULL,
    status       TEXT    NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'sent', 'failed')),
    delivery     TEXT    CHECK (delivery IN ('delivered', 'bounced', 'opened')),
    error        TEXT,
    not_before   INTEGER NOT NULL,                                        -- the end of quiet hours, or of the wait for the rate limit
    created_at   INTEGER NOT NULL,
    sent_at      INTEGER,
    CHECK ((status = 'sent') = (sent_at IS NOT NULL))
) STRICT;

CREATE INDEX notices_by_person   ON notices (recipient, created_at);      -- history of a person
CREATE INDEX notices_by_schedule ON notices (recipient, channel, not_before)  -- room in the rate limit
    WHERE level <> 'critical';
CREATE INDEX notices_pending     ON notices (id) WHERE status = 'pending';  -- those without a message
CREATE INDEX notices_by_creation ON notices (created_at);                 -- history, retention

-- The outbox sends a notice, by a message whose key is its id: the notice shows what became of the message.
CREATE TRIGGER notices_follow_outbox AFTER UPDATE OF delivered_at, dead_at, error ON outbox
WHEN NEW.kind = 'notices'
BEGIN
    UPDATE notices SET sent_at = NEW.delivered_at,
        status = CASE WHEN NEW.delivered_at IS NOT NULL THEN 'sent' WHEN NEW.dead_at IS NOT NULL THEN 'failed' ELSE 'pending' END,
        error = CASE WHEN NEW.delivered_at IS NULL THEN NEW.error END
    WHERE id = NEW.key;
END;
CREATE TRIGGER notices_leave_outbox AFTER DELETE ON notices
WHEN OLD.status = 'pending'
BEGIN DELETE FROM outbox WHERE key = OLD.id AND kind = 'notices' AND delivered_at IS NULL AND dead_at IS NULL; END;

CREATE TABLE alert_rules (
    name           TEXT    NOT NULL PRIMARY KEY CHECK (name <> ''),
    condition      TEXT    NOT NULL CHECK (condition <> ''),              -- error_rate, response_time, usage, or the name of a sample
    labels         TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(labels)),
    comparison     TEXT    NOT NULL DEFAULT 'above' CHECK (comparison IN ('above', 'below')),
    threshold      REAL    NOT NULL,
    window_ms      INTEGER NOT NULL CHECK (window_ms > 0),
    level          TEXT    NOT NULL CHECK (level IN ('info', 'warning', 'critical')),
    channels       TEXT    NOT NULL CHECK (json_valid(channels) AND json_type(channels) = 'array'),
    recipients     TEXT    NOT NULL DEFAULT '[]' CHECK (json_valid(recipients) AND json_type(recipients) = 'array'),
    enabled        INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
    cooldown_ms    INTEGER NOT NULL DEFAULT 3600000 CHECK (cooldown_ms >= 0),
    last_triggered INTEGER                                                -- or when a clock was found set back behind it
) STRICT, WITHOUT ROWID;

CREATE TABLE alerts (
    seq        INTEGER PRIMARY KEY CHECK (seq > 0),
    rule       TEXT    NOT NULL REFERENCES alert_rules (name) ON DELETE CASCADE,
    value      REAL    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX alerts_by_rule ON alerts (rule, created_at);                 -- history of a rule

-- ---------------------------------------------------------------- Changes and erasure

-- What changed, in the order of the commits, for watchers: a row has the number of the thing, and nothing of what is in it, so
-- that no erased id is left here. Triggers write it, so that it holds for every writer.
CREATE TABLE changes (
    revision    INTEGER PRIMARY KEY AUTOINCREMENT,
    kind        TEXT    NOT NULL CHECK (kind IN ('task', 'run', 'outbox', 'notice', 'worker', 'state')),
    thing       INTEGER,                                     -- its seq
    application TEXT,                                        -- of a state, which has no seq
    name        TEXT,
    CHECK ((kind = 'state') = (thing IS NULL)),
    CHECK ((kind = 'state') = (application IS NOT NULL AND name IS NOT NULL))
) STRICT;

CREATE TRIGGER tasks_told_added AFTER INSERT ON tasks
BEGIN INSERT INTO changes (kind, thing) VALUES ('task', NEW.seq); END;
CREATE TRIGGER tasks_told AFTER UPDATE OF status ON tasks WHEN NEW.status <> OLD.status
BEGIN INSERT INTO changes (kind, thing) VALUES ('task', NEW.seq); END;
CREATE TRIGGER runs_told_added AFTER INSERT ON runs
BEGIN INSERT INTO changes (kind, thing) VALUES ('run', NEW.seq); END;
CREATE TRIGGER runs_told AFTER UPDATE OF status ON runs WHEN NEW.status <> OLD.status
BEGIN INSERT INTO changes (kind, thing) VALUES ('run', NEW.seq); END;
CREATE TRIGGER outbox_told AFTER UPDATE OF status ON outbox
WHEN NEW.status <> OLD.status AND (NEW.status IN ('delivered', 'dead') OR OLD.status = 'dead')
BEGIN INSERT INTO changes (kind, thing) VALUES ('outbox', NEW.seq); END;
CREATE TRIGGER notices_told_added AFTER INSERT ON notices
BEGIN INSERT INTO changes (kind, thing) VALUES ('notice', NEW.seq); END;
CREATE TRIGGER notices_told AFTER UPDATE OF status, delivery ON notices
WHEN NEW.status <> OLD.status OR NEW.delivery IS NOT OLD.delivery
BEGIN INSERT INTO changes (kind, thing) VALUES ('notice', NEW.seq); END;
CREATE TRIGGER workers_told_added AFTER INSERT ON workers
BEGIN INSERT INTO changes (kind, thing) VALUES ('worker', NEW.seq); END;
-- That a worker takes a task and ends it is told by the task.
CREATE TRIGGER workers_told AFTER UPDATE OF status, launches ON workers
WHEN NEW.launches <> OLD.launches
    OR NEW.status <> OLD.status AND NOT (NEW.status IN ('idle', 'busy') AND OLD.status IN ('idle', 'busy'))
BEGIN INSERT INTO changes (kind, thing) VALUES ('worker', NEW.seq); END;
CREATE TRIGGER states_told_added AFTER INSERT ON states
BEGIN INSERT INTO changes (kind, application, name) VALUES ('state', NEW.application, NEW.name); END;
CREATE TRIGGER states_told AFTER UPDATE OF version ON states WHEN NEW.version <> OLD.version
BEGIN INSERT INTO changes (kind, application, name) VALUES ('state', NEW.application, NEW.name); END;
