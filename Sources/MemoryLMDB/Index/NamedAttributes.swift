import EpisodicMemory

/// What scopes and filters look at, with numbers for names (see `NameTable`).
struct NamedAttributes: Hashable, Sendable {
  var domain: UInt32
  /// 0: none.
  var session: UInt32
  var task: UInt32
  /// `StatusCode`.
  var status: UInt8
  /// Milliseconds since 1970.
  var createdAt: Int64
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
