import ByteCoding
import EpisodicMemory
import LMDB
import VectorIndex
import WordIndex

/// The database `names`: numbers for domains, sessions and task types.
///
/// A key is the kind and half a SHA-256 of the name, so that no name is too long and no two share a number (I8). A value is
/// the number UInt32 and a seal UInt64. Numbers count from 1; none is used twice.
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
    guard let number = UInt32(exactly: try transaction.count(in: database) + 1), number < .max else {
      throw LMDBError(.invalid, message: "the index has more names than it can number")
    }
    var value = ByteWriter(capacity: 12)
    value.write(number)
    try transaction.put(seal(key).sealed(value.bytes).span.bytes, for: key.span.bytes, in: database)
    return number
  }

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

// MARK: Attributes of episodes as numbers: partition domain, series session (0: none), kind task type, state status, time creation

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
      states: StatusCode.bits(filter.statuses ?? Set(Episode.Status.allCases)),
      times: first...(end.map { $0 - 1 } ?? .max))
  }
}

/// Numbers of the statuses in the index; part of its format.
enum StatusCode {
  static func of(_ status: Episode.Status) -> UInt8 {
    switch status {
    case .active: 0
    case .completed: 1
    case .failed: 2
    case .archived: 3
    }
  }

  /// A bit for each.
  static func bits(_ statuses: Set<Episode.Status>) -> UInt32 { statuses.reduce(0) { $0 | 1 << UInt32(of($1)) } }
}

/// Episodes as groups of the word index: the later the row, the smaller the group.
///
/// The word index visits groups in ascending order and keeps the first of equal scores without reading the others. So the
/// newest of equal attempts wins; with ascending groups a million equal ones would all have to be read.
enum EpisodeGroup {
  /// - Parameter row: Of an episode, from 1.
  static func of(row: Int64) -> UInt64 { ~UInt64(bitPattern: row) }

  static func row(of group: UInt64) -> Int64 { Int64(bitPattern: ~group) }
}

extension WordDocument {
  /// The context of an episode, by row.
  init(contextOf episode: Int64) {
    self.init(field: .parent, group: EpisodeGroup.of(row: episode))
  }

  /// A step of an episode, by rows.
  init(step: Int64, of episode: Int64) {
    self.init(field: .child, group: EpisodeGroup.of(row: episode), member: UInt64(bitPattern: step))
  }
}
