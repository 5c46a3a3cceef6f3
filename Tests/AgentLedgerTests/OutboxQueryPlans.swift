import StoreValues

@testable import AgentLedger

extension `Query plans of the ledger` {
  private static func claim(of types: [String] = [], in domain: String? = nil) -> String {
    TaskClaim(worker: "w", count: 1, types: types, domain: domain, lease: 1).sql
  }

  static let taskQueries: [Query] = [
    Query("next tasks by priority and age", claim(), "USING INDEX tasks_next"),
    Query("next tasks of a type", claim(of: ["a"]), "USING INDEX tasks_next_of_type (type=?)"),
    Query("next tasks of a domain", claim(in: "d"), "USING INDEX tasks_next_of_domain (domain=?)"),
    Query("tasks whose time has come", TaskQueue.waking, "USING INDEX tasks_delayed (not_before<?)"),
    Query(
      "leases that ran out", TaskQueue.takingBack(TaskQueue.isLapsed), "USING INDEX tasks_leased (lease_until<?)"),
    Query(
      "tasks of a worker that died", TaskQueue.takingBack(TaskQueue.isOfWorker),
      "USING INDEX tasks_of_worker (worker_id=?)"),
    Query("tasks of a worker that stopped", TaskQueue.givingBack, "USING INDEX tasks_of_worker (worker_id=?)"),
    Query(
      "leases given after now", TaskQueue.leasesBeginAgain, "USING INDEX tasks_leased_since (waits_since>?)"),
    Query(
      "retries set after now", TaskQueue.pausesBeginAgain, "USING INDEX tasks_backing_off (waits_since>?)"),
    Query("the same work", TaskQueue.byHash, "USING INDEX tasks_once (domain=? AND content_hash=?)"),
    Query("a task by its id", TaskRow.byID, "USING INDEX sqlite_autoindex_tasks_1 (id=?)"),
    Query("what a worker has", WorkerRow.nextTask, "USING INDEX tasks_of_worker (worker_id=?)"),
  ]

  static let outboxQueries: [Query] = [
    Query("undelivered, oldest first", OutboxRow.undelivered, "USING INDEX outbox_undelivered (seq>?)"),
    Query("dead letters", OutboxRow.dead, "USING INDEX outbox_dead (dead_at>?)"),
    Query("a message by its id", OutboxRow.byID, "USING INDEX sqlite_autoindex_outbox_1 (id=?)"),
    Query("what is to be sent", OutboxQueue.nextReady(nil), "USING INDEX outbox_ready"),
    Query(
      "what is to be sent of a kind", OutboxQueue.nextReady("tasks"), "USING INDEX outbox_ready_of_kind (kind=?)"),
    Query("messages whose time has come", OutboxQueue.waking, "USING INDEX outbox_waiting (next_attempt_at<?)"),
    Query("senders that are silent", OutboxQueue.takingBack, "USING INDEX outbox_leased (lease_until<?)"),
    Query("the next wait that ends", OutboxQueue.nextWaking, "USING INDEX outbox_waiting"),
    Query("the next lease that runs out", OutboxQueue.nextLapse, "USING INDEX outbox_leased"),
    Query("the last wait that began", OutboxQueue.latestWait, "USING INDEX outbox_waits"),
    Query("waits that began after now", OutboxQueue.beginningAgain, "USING INDEX outbox_waits (waits_since>?)"),
    Query("the first message of a key", OutboxQueue.firstOfKey, "USING INDEX outbox_by_key (key=?)"),
    Query("the log of deliveries", DeliveryRow.page, "USING INDEX deliveries_by_creation (created_at>? AND"),
    Query("results of a task", TaskResultRow.ofTask, "USING INDEX results_by_task (task_id=?)"),
  ]

  static let applicationQueries: [Query] = [
    Query(
      "success per selector over a window", SignalRow.rates, "USING COVERING INDEX signals_by_selector (domain=?)"),
    Query(
      "success of a selector over a window", SignalRow.rate,
      "USING COVERING INDEX signals_by_selector (domain=? AND selector_type=? AND selector=? AND created_at>?"),
    Query("signals of a task", SignalRow.ofTask, "USING INDEX signals_by_task (task_id=? AND rowid>?)"),
    Query(
      "a page that is still fresh, counting the access", PageCache.access,
      "USING INDEX sqlite_autoindex_pages_1 (key=?)"),
    Query("expired pages", PageCache.removingExpired, "USING COVERING INDEX pages_by_expiry (expires_at<?)"),
    Query("the least recently used pages", PageCache.leastUsed, "USING INDEX pages_by_use"),
    Query("hit rate of pages", PageCache.rates, "USING PRIMARY KEY (hour>? AND hour<?)"),
    Query("a state", StateRow.current, "USING PRIMARY KEY (application=? AND name=?)"),
    Query("states of an application", StateRow.list, "USING PRIMARY KEY (application=? AND name>?)"),
    Query("versions of a state", StateRow.versions, "USING PRIMARY KEY (application=? AND name=? AND version<?)"),
  ]
}
