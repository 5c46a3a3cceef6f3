import EpisodicMemory
import LMDB

/// Scope and filter of a request in numbers.
struct AttributeFilter: Sendable {
  let domain: UInt32?
  let session: UInt32?
  let task: UInt32?
  /// A bit for each status that passes.
  let statuses: UInt32
  /// Creation in milliseconds, both ends included.
  let created: ClosedRange<Int64>

  func admits(_ attributes: NamedAttributes) -> Bool {
    attributes.status < 32 && statuses & (1 << UInt32(attributes.status)) != 0
      && (domain ?? attributes.domain) == attributes.domain && (session ?? attributes.session) == attributes.session
      && (task ?? attributes.task) == attributes.task && created.contains(attributes.createdAt)
  }
}

extension AttributeFilter {
  /// Stands for a name that has no number.
  private static let unknown = UInt32.max

  /// - Returns: `nil` where nothing can pass: a name that the index has never seen, or no time at all.
  init?(
    _ scope: Scope, _ filter: Episode.Filter, _ names: NameTable,
    in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) {
    func number(_ kind: NameTable.Kind, _ name: String?) throws(LMDBError) -> UInt32? {
      guard let name else { return nil }
      return try names.number(of: name, kind, in: transaction) ?? Self.unknown
    }
    if case .domain(let name) = scope { domain = try number(.domain, name.canonicallyComposed) } else { domain = nil }
    session = try number(.session, filter.session?.canonicallyComposed)
    task = try number(.task, filter.taskType?.rawValue)
    statuses = StatusCode.bits(filter.statuses ?? Set(Episode.Status.allCases))
    let first = filter.after?.milliseconds ?? .min
    let end = filter.before?.milliseconds
    guard end != .min, first <= end.map({ $0 - 1 }) ?? .max else { return nil }
    created = first...(end.map { $0 - 1 } ?? .max)
    guard ![domain, session, task].contains(Self.unknown) else { return nil }
  }
}
