-- 012_consolidated_runs: which runs of a ledger have become episodes.

-- A finished run becomes at most one episode (I7), which has the run's id. Not a reference: the run of an episode that was
-- deleted since does not become another one. That of an erased episode is known by its digest in `erased` alone.
CREATE TABLE consolidated_runs (
    run_id TEXT NOT NULL PRIMARY KEY CHECK (length(CAST(run_id AS BLOB)) BETWEEN 1 AND 128)
) STRICT, WITHOUT ROWID;
