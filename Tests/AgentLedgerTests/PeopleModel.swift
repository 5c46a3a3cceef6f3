import StoreValues

@testable import AgentLedger

/// People, logins, requests, templates and notices of a ledger in plain collections. All people are in UTC.
struct PeopleModel {
  struct Person {
    var value: Ledger.Person
    var preferences = Ledger.NoticePreferences()
    var month = 0
    var window: (end: Int64, count: Int)?
    var tokens: [String: (created: Int64, expires: Int64)] = [:]
    /// When tasks of the person were added.
    var tasks: [Int64] = []
  }

  var now: Int64
  /// In the order in which they were added.
  var people: [Person] = []
  var templates: [String: Ledger.NoticeTemplate] = [:]
  /// In the order in which they were written.
  var notices: [Ledger.Notice] = []
  var limits: [Ledger.RateLimitKind: [Ledger.Person.Tier: Ledger.RateLimit]] = [:]

  func index(_ id: Ledger.Person.ID) -> Int? { people.firstIndex { $0.value.id == id } }

  // MARK: People

  mutating func add(_ draft: Ledger.Person.Draft, as id: Ledger.Person.ID) -> MemoryError.Code? {
    guard index(id) == nil, !people.contains(where: { $0.value.handle == draft.handle }) else { return .conflict }
    people.append(
      Person(
        value: Ledger.Person(
          id: id, handle: draft.handle, tier: draft.tier, requests: 0, requestsThisMonth: 0, rateLimit: draft.rateLimit,
          email: draft.email, hasPassword: false, zone: "UTC", createdAt: Timestamp(milliseconds: now))))
    return nil
  }

  mutating func update(_ id: Ledger.Person.ID, _ changes: Ledger.Person.Changes) -> MemoryError.Code? {
    guard let index = index(id) else { return .notFound }
    if let handle = changes.handle {
      if people.contains(where: { $0.value.handle == handle && $0.value.id != id }) { return .conflict }
      people[index].value.handle = handle
    }
    if let tier = changes.tier { people[index].value.tier = tier }
    if let email = changes.email { people[index].value.email = email }
    if let limit = changes.rateLimit { people[index].value.rateLimit = limit }
    return nil
  }

  mutating func remove(_ id: Ledger.Person.ID) -> MemoryError.Code? {
    guard let index = index(id) else { return .notFound }
    people.remove(at: index)
    notices.removeAll { $0.recipient == id }
    return nil
  }

  func person(_ index: Int) -> Ledger.Person {
    var value = people[index].value
    value.requestsThisMonth = people[index].month == month ? value.requestsThisMonth : 0
    return value
  }

  private var month: Int { Int(Timestamp(milliseconds: now).month) }

  func list(_ filter: Ledger.Person.Filter) -> [Ledger.Person] {
    let all = people.indices.map { (offset: $0, person: person($0)) }
    let key: (Ledger.Person) -> Timestamp? =
      switch filter {
      case .all: { $0.createdAt }
      case .tier(let tier): { $0.tier == tier ? $0.createdAt : nil }
      case .activeSince(let start): { person in person.lastActive.flatMap { $0 >= start ? $0 : nil } }
      }
    return all.compactMap { entry in key(entry.person).map { (entry.offset, $0, entry.person) } }
      .sorted { ($0.1, $0.0) > ($1.1, $1.0) }.map(\.2)
  }

  func growth() -> [Ledger.PeopleGrowth] {
    let day: Int64 = 86_400_000
    let days = Dictionary(grouping: people) { $0.value.createdAt.milliseconds / day }
    var total = 0
    return days.keys.sorted().map { key in
      let added = days[key]?.count ?? 0
      total += added
      return Ledger.PeopleGrowth(day: Timestamp(milliseconds: key * day), added: added, total: total)
    }
  }

  func top(since start: Int64) -> [Ledger.PersonTasks] {
    people.indices.map { Ledger.PersonTasks(person: person($0), tasks: people[$0].tasks.count { $0 >= start }) }
      .enumerated().filter { $0.element.tasks > 0 }
      .sorted { ($1.element.tasks, $0.offset) < ($0.element.tasks, $1.offset) }.map(\.element)
  }

  // MARK: Requests and logins

  func limit(_ kind: Ledger.RateLimitKind, of tier: Ledger.Person.Tier) -> Ledger.RateLimit {
    let defaults: [Ledger.Person.Tier: Int] =
      kind == .requests
      ? [.free: 100, .premium: 1000, .enterprise: 10_000] : [.free: 20, .premium: 100, .enterprise: 1000]
    func known(_ tier: Ledger.Person.Tier) -> Ledger.RateLimit? {
      limits[kind]?[tier] ?? defaults[tier].map { Ledger.RateLimit($0, per: .seconds(3600)) }
    }
    return known(tier) ?? known(.free) ?? Ledger.RateLimit(nil, per: .seconds(3600))
  }

  mutating func request(_ index: Int) -> Ledger.RequestDecision {
    let limit = limit(.requests, of: people[index].value.tier)
    let length = limit.window.milliseconds
    var window = people[index].window ?? (0, 0)
    if now >= window.end || window.end > now + length { window = (now + length, 0) }
    let most = people[index].value.rateLimit ?? limit.count
    if let most, window.count >= most {
      return .init(isAllowed: false, remaining: 0, retryAt: Timestamp(milliseconds: window.end))
    }
    window.count += 1
    people[index].window = window
    people[index].value.rateLimitResetsAt = Timestamp(milliseconds: window.end)
    people[index].value.requests += 1
    people[index].value.requestsThisMonth = people[index].month == month ? people[index].value.requestsThisMonth + 1 : 1
    people[index].month = month
    people[index].value.lastActive = Timestamp(milliseconds: now)
    return .init(isAllowed: true, remaining: most.map { $0 - window.count }, retryAt: nil)
  }

  /// Expired ones are removed by a log-in, and not before: a clock that is set back finds them until then.
  mutating func logIn(_ index: Int, _ token: String, for milliseconds: Int64) {
    for other in people.indices { people[other].tokens = people[other].tokens.filter { $0.value.expires > now } }
    people[index].tokens[token] = (now, now + milliseconds)
    people[index].value.lastActive = Timestamp(milliseconds: now)
  }

  func owner(_ token: String) -> Ledger.Person? {
    people.indices.first { people[$0].tokens[token].map { $0.expires > now } ?? false }.map(person)
  }

  // MARK: Notices

  mutating func notify(
    _ index: Int, _ template: Ledger.NoticeTemplate, _ subject: String, _ level: Ledger.Notice.Level
  ) -> [Ledger.Notice] {
    let person = people[index]
    guard person.preferences.kinds?.contains(template.type) ?? true else { return [] }
    let limit = limit(.notices, of: person.value.tier)
    return person.preferences.channels.map { channel in
      var time = now
      if level != .critical, let count = limit.count {
        let scheduled = notices.filter {
          $0.recipient == person.value.id && $0.channel == channel && $0.level != .critical
        }.map(\.notBefore.milliseconds)
        // Whenever one more has left the window there may be room.
        let candidates = [now] + scheduled.map { $0 + limit.window.milliseconds }.filter { $0 > now }.sorted()
        time =
          candidates.first { time in
            scheduled.count { $0 > time - limit.window.milliseconds } < count
          } ?? now
      }
      let notice = Ledger.Notice(
        id: "", recipient: person.value.id, channel: channel, type: template.type, level: level, subject: subject,
        body: template.body, status: .pending, notBefore: Timestamp(milliseconds: time),
        createdAt: Timestamp(milliseconds: now))
      notices.append(notice)
      return notice
    }
  }

  func history(of id: Ledger.Person.ID?) -> [Ledger.Notice] {
    notices.enumerated().filter { id == nil || $0.element.recipient == id }
      .sorted { ($0.element.createdAt, $0.offset) > ($1.element.createdAt, $1.offset) }.map(\.element)
  }
}
