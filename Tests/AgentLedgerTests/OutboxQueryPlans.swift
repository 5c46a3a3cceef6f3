import StoreValues

@testable import AgentLedger

extension `Query plans of the ledger` {
  private static func claim(_ count: Int = 1, of types: [String] = [], in domain: String? = nil) -> String {
    TaskClaim(worker: "w", count: count, types: types, domain: domain, lease: 1).sql
  }

  private static func tasks(_ filter: Ledger.Task.Filter) -> String { TaskQuery(filter).sql }
  private static func tasks(_ change: (inout Ledger.Task.Filter) -> Void) -> String {
    var filter = Ledger.Task.Filter()
    change(&filter)
    return tasks(filter)
  }

  static let taskQueries: [Query] = [
    Query("next tasks by priority and age", claim(), "USING INDEX tasks_next"),
    Query("next tasks, several", claim(2), "USING INDEX tasks_next"),
    Query(
      "what is due before a claim", TaskQueue.looking, "SEARCH workers USING INDEX sqlite_autoindex_workers_1 (id=?)",
      "INDEX tasks_leased_since (waits_since>?)", "INDEX tasks_backing_off (waits_since>?)",
      "INDEX tasks_delayed (not_before<?)", "INDEX tasks_leased (lease_until<?)"),
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
    Query("the latest tasks", tasks(.init()), "USING INDEX tasks_by_creation"),
    Query("tasks of a status", tasks(.init(status: .failed)), "USING INDEX tasks_by_status (status=?)"),
    Query("tasks of a domain", tasks(.init(domain: "d")), "USING INDEX tasks_by_domain (domain=?)"),
    Query("tasks of a session", tasks(.init(session: "s")), "USING INDEX tasks_by_session (session=?)"),
    Query("tasks of a person", tasks { $0.person = "p" }, "USING INDEX tasks_by_person (person_id=?)"),
    Query("subtasks of a task", tasks { $0.parent = "t" }, "USING INDEX tasks_by_parent (parent_id=?)"),
    Query("the latest tasks of a type", tasks(.init(type: "t")), "USING INDEX tasks_by_creation"),
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
