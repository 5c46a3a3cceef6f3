import ByteCoding
import EpisodicMemory
import LMDB
import VectorIndex
import WordIndex

/// The database `names`: numbers for domains, sessions and task types.
///
/// A key is the kind and half a SHA-256 of the name, so that no name is too long and no two share a number (I8). A value is
/// the number UInt32 and a seal UInt64. Numbers count from 1; none is used twice. Domains are counted on their own, under the
/// key 0: their numbers are part of those of groups, where they have few bits.
struct NameTable: Sendable {
  enum Kind: UInt8 { case domain = 1, session = 2, task = 3 }

  let database: Database
  let generation: UInt64

  func number(
    of name: String, _ kind: Kind, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> UInt32? {
    try number(Self.key(name, kind), in: transaction)
  }

  /// The number of a name, assigned now if it has none.
  func assign(_ name: String, _ kind: Kind, in transaction: inout WriteTransaction) throws(LMDBError) -> UInt32 {
    let key = Self.key(name, kind)
    if let number = try number(key, in: transaction) { return number }
    let isDomain = kind == .domain
    let last = isDomain ? Int(try self.number(Self.domains, in: transaction) ?? 0) : try transaction.count(in: database)
    guard let number = UInt32(exactly: last + 1), number < (isDomain ? EpisodeGroup.domains : .max) else {
      throw LMDBError(.invalid, message: "the index has more \(isDomain ? "domains" : "names") than it can number")
    }
    if isDomain { try put(number, Self.domains, in: &transaction) }
    try put(number, key, in: &transaction)
    return number
  }

  private func put(_ number: UInt32, _ key: [UInt8], in transaction: inout WriteTransaction) throws(LMDBError) {
    var value = ByteWriter(capacity: 12)
    value.write(number)
    try transaction.put(seal(key).sealed(value.bytes).span.bytes, for: key.span.bytes, in: database)
  }

  /// The key of the number of domains.
  private static let domains: [UInt8] = [0]

  private func number(
    _ key: [UInt8], in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> UInt32? {
    guard let value = try transaction.get(key.span.bytes, in: database) else { return nil }
    return try seal(key).decode(value, "name") { reader throws(MalformedBytes) in try reader.integer() }
  }

  private func seal(_ key: [UInt8]) -> Seal { Seal(key: key.span.bytes, generation: generation) }

  private static func key(_ name: String, _ kind: Kind) -> [UInt8] {
    [kind.rawValue] + SHA256.digest(of: name).prefix(16)
  }
}

// MARK: Attributes of episodes as numbers: partition domain, series session (0: none), kind task type, state status and trust, time creation

extension AttributeFilter {
  /// - Returns: `nil` if nothing can pass: a name that the index does not have, or an empty range of times.
  init?(
    _ scope: Query.Scope, _ filter: Episode.Filter, _ names: NameTable,
    in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) {
    let unknown = UInt32.max
    func number(_ kind: NameTable.Kind, _ name: String?) throws(LMDBError) -> UInt32? {
      guard let name else { return nil }
      return try names.number(of: name, kind, in: transaction) ?? unknown
    }
    var domain: UInt32?
    if case .domain(let name) = scope { domain = try number(.domain, name.canonicallyComposed) }
    let session = try number(.session, filter.session?.canonicallyComposed)
    let task = try number(.task, filter.taskType?.rawValue)
    guard ![domain, session, task].contains(unknown) else { return nil }
    let first = filter.after?.milliseconds ?? .min
    let end = filter.before?.milliseconds
    guard end != .min, first <= end.map({ $0 - 1 }) ?? .max else { return nil }
    self.init(
      partition: domain, series: session, kind: task,
      states: StateCode.bits(filter.statuses ?? Set(Episode.Status.allCases), filter.trust),
      times: first...(end.map { $0 - 1 } ?? .max))
  }
}

/// Numbers of status and trust together in the index, less than 32; part of its format. Those of trusted episodes are what they were
/// before there was trust.
enum StateCode {
  static func of(_ status: Episode.Status, _ trust: Trust) -> UInt8 { code(status) | trust.code << 2 }

  private static func code(_ status: Episode.Status) -> UInt8 {
    switch status {
    case .active: 0
    case .completed: 1
    case .failed: 2
    case .archived: 3
    }
  }

  static func isActive(_ code: UInt8) -> Bool { status(code) == .active }

  static func trust(_ code: UInt8) -> Trust { Trust(code: code >> 2) ?? .quarantined }

  static func status(_ code: UInt8) -> Episode.Status {
    switch code & 3 {
    case 0: .active
    case 1: .completed
    case 2: .failed
    default: .archived
    }
  }

  /// A bit for each state of the statuses that is trusted so far.
  ///
  /// - Parameter trust: `nil`: however far.
  static func bits(_ statuses: Set<Episode.Status>, _ trust: ClosedRange<Trust>? = nil) -> UInt32 {
    var bits: UInt32 = 0
    for level in Trust.allCases where trust?.contains(level) ?? true {
      for status in statuses { bits |= 1 << UInt32(of(status, level)) }
    }
    return bits
  }
}

/// Episodes as groups of the word index. A domain has two partitions: that of its active episodes, in the upper half, and that
/// of the others.
///
/// The later the row, the smaller the group: the word index keeps the first of equal scores in a partition without reading the
/// others. So the newest of equal attempts wins; with ascending groups a million equal ones would all have to be read.
enum EpisodeGroup {
  /// Numbers of domains are less.
  static let domains = WordCorpus.partitions / 2
  private static let ranks: UInt64 = 1 << WordCorpus.groupBits - 1

  /// - Throws: `.invalid` for a row outside 0..<2^40, which only another program can have chosen.
  static func of(row: Int64, domain: UInt32, isActive: Bool) throws(LMDBError) -> UInt64 {
    guard row >= 0, UInt64(row) < ranks else {
      throw LMDBError(.invalid, message: "the index cannot number the episode in row \(row)")
    }
    return UInt64(partition(domain, isActive: isActive)) << WordCorpus.groupBits | (ranks - UInt64(row))
  }

  static func row(of group: UInt64) -> Int64 { Int64(ranks - WordCorpus.rank(group)) }

  static func partition(_ domain: UInt32, isActive: Bool) -> UInt32 { domain | (isActive ? domains : 0) }
}

extension EpisodeTable.Record {
  func group(of row: Int64) throws(LMDBError) -> UInt64 {
    try EpisodeGroup.of(row: row, domain: attributes.partition, isActive: StateCode.isActive(attributes.state))
  }
}

extension [WordCorpus] {
  /// The corpus of a request; see `WordStatistics`.
  ///
  /// - Parameter domain: `nil` for all, `UInt32.max` for none.
  init(of domain: UInt32?, includingActive: Bool) {
    switch domain {
    case nil: self = includingActive ? WordCorpus.all : [.half(0)]
    case .max?: self = []
    case let domain?:
      self = (includingActive ? [false, true] : [false]).map { isActive in
        .partition(EpisodeGroup.partition(domain, isActive: isActive))
      }
    }
  }
}

extension WordDocument {
  /// The context of an episode, by its group.
  init(contextOf group: UInt64) {
    self.init(field: .parent, group: group)
  }

  /// A step of an episode, by its row and the episode's group.
  init(step: Int64, of group: UInt64) {
    self.init(field: .child, group: group, member: UInt64(bitPattern: step))
  }
}
