import AgentLedger
import StoreValues

/// What an outbox should be.
struct OutboxModel {
  struct Message {
    let id: Ledger.OutboxMessage.ID
    let kind: Ledger.OutboxMessage.Kind
    let key: String
    let notBefore: Int64?
    var status = Ledger.OutboxMessage.Status.queued
    var attempts = 0
    var next: Int64
    var since: Int64

    var isUndelivered: Bool { status != .delivered && status != .dead }
  }

  var now: Int64
  /// In the order in which they were put.
  var messages: [Message] = []
  /// What was delivered first, by key.
  var delivered = 0

  mutating func put(_ draft: Ledger.OutboxMessage.Draft, id: Ledger.OutboxMessage.ID) {
    let isFirst = !messages.contains { $0.key == draft.key && $0.isUndelivered }
    let notBefore = draft.notBefore?.milliseconds
    var message = Message(
      id: id, kind: draft.kind, key: draft.key, notBefore: notBefore, next: max(now, notBefore ?? now), since: now)
    if isFirst { message.status = message.next <= now ? .ready : .waiting }
    messages.append(message)
  }

  /// - Returns: What a round hands to its sink, in order.
  mutating func lease(_ kinds: [Ledger.OutboxMessage.Kind], atMost size: Int) -> [Ledger.OutboxMessage.ID] {
    for at in messages.indices where messages[at].status == .waiting && messages[at].since > now {
      messages[at].next = max(now + messages[at].next - messages[at].since, messages[at].notBefore ?? .min)
      messages[at].since = now
    }
    for at in messages.indices where messages[at].status == .waiting && messages[at].next <= now {
      messages[at].status = .ready
    }
    var (batch, most) = ([Ledger.OutboxMessage.ID](), size)
    for message in messages where message.status == .ready && (kinds.isEmpty || kinds.contains(message.kind)) {
      let smaller = min(most, max(1, size >> message.attempts))
      guard batch.count < smaller else { break }
      batch.append(message.id)
      most = smaller
    }
    return batch
  }

  /// - Returns: What the wait before another attempt is at least and at most; `nil` if there is none.
  mutating func settle(
    _ id: Ledger.OutboxMessage.ID, _ outcome: Ledger.DeliveryOutcome, maximumAttempts: Int
  ) -> ClosedRange<Int64>? {
    guard let at = messages.firstIndex(where: { $0.id == id }) else { return nil }
    if case .notSent(let after) = outcome {
      messages[at].status = .waiting
      messages[at].since = now
      let wait = max(1, Int64(after / .milliseconds(1)))
      return wait...wait
    }
    messages[at].attempts += 1
    switch outcome {
    case .tryAgain(_, let after) where messages[at].attempts < maximumAttempts:
      messages[at].status = .waiting
      messages[at].since = now
      let whole = min(Int64(1000) << Int64(messages[at].attempts - 1), 3_600_000)
      let wished = Int64((after ?? .zero) / .milliseconds(1))
      return max(whole / 2, wished)...max(whole, wished)
    case .delivered: messages[at].status = .delivered
    default: messages[at].status = .dead
    }
    if outcome == .delivered { delivered += 1 }
    let key = messages[at].key
    if let first = messages.firstIndex(where: { $0.key == key && $0.isUndelivered }) {
      messages[first].status = messages[first].next <= now ? .ready : .waiting
    }
    return nil
  }

  mutating func adopt(next: Int64, of id: Ledger.OutboxMessage.ID) {
    if let at = messages.firstIndex(where: { $0.id == id }) { messages[at].next = next }
  }

  /// - Returns: False if it is no dead letter.
  mutating func putBack(_ id: Ledger.OutboxMessage.ID) -> Bool {
    guard let at = messages.firstIndex(where: { $0.id == id && $0.status == .dead }) else { return false }
    (messages[at].attempts, messages[at].next, messages[at].since) = (0, now, now)
    let key = messages[at].key
    if let first = messages.firstIndex(where: { $0.key == key && $0.isUndelivered && $0.status != .queued }) {
      messages[at].status = first > at ? .ready : .queued
      if first > at { messages[first].status = .queued }
    } else {
      messages[at].status = .ready
    }
    return true
  }
}

/// What the pages of a ledger should be.
struct PageModel {
  struct Entry {
    let put: Int
    var data: String
    var expires: Int64
    var accesses = 0
    var last: Int64
  }

  var now: Int64
  let most: Int
  var pages: [String: Entry] = [:]
  var hours: [Int64: (hits: Int, misses: Int)] = [:]
  private var count = 0

  init(now: Int64, most: Int) { (self.now, self.most) = (now, most) }

  mutating func put(_ key: String, _ data: String, lifetime: Int64) {
    pages = pages.filter { $0.value.expires > now }
    count += 1
    pages[key] = Entry(put: pages[key]?.put ?? count, data: data, expires: now + lifetime, last: now)
    while pages.values.reduce(0, { $0 + $1.data.utf8.count }) > most {
      let leaving = pages.filter { $0.key != key }.min { ($0.value.last, $0.value.put) < ($1.value.last, $1.value.put) }
      guard let leaving else { return }
      pages[leaving.key] = nil
    }
  }

  mutating func get(_ key: String) -> Entry? {
    let hour = Int64((Double(now) / 3_600_000).rounded(.down))
    guard var entry = pages[key], entry.expires > now else {
      hours[hour, default: (0, 0)].misses += 1
      return nil
    }
    hours[hour, default: (0, 0)].hits += 1
    (entry.accesses, entry.last) = (entry.accesses + 1, now)
    pages[key] = entry
    return entry
  }
}
