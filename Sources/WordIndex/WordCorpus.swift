/// Some of the groups of an index, whose documents are a corpus of its own: ranked together, with statistics of their own.
///
/// A group's number begins with the number of its partition, 24 bits, of which the first is its half; 40 bits tell the groups
/// of a partition apart. So a partition lies side by side in every table, and so does a half: a query of one reads no other's
/// postings.
package enum WordCorpus: Hashable, Sendable {
  /// The groups with these high 24 bits.
  case partition(UInt32)
  /// The groups whose highest bit is 0, or 1.
  case half(UInt32)

  /// Bits of a group's number within its partition.
  package static let groupBits: UInt64 = 40
  /// Partitions have lower numbers.
  package static let partitions: UInt32 = 1 << 24
  package static let all: [WordCorpus] = [.half(0), .half(1)]

  /// The number of a group within its partition.
  package static func rank(_ group: UInt64) -> UInt64 { group & (1 << groupBits - 1) }

  var groups: ClosedRange<UInt64> {
    switch self {
    case .partition(let number):
      let first = UInt64(number) << Self.groupBits
      return first...(first | (1 << Self.groupBits - 1))
    case .half(let number): return number == 0 ? 0...(1 << 63 - 1) : 1 << 63...UInt64.max
    }
  }

  /// The number under which counts of the corpus are kept.
  var level: UInt32 {
    switch self {
    case .partition(let number): number
    case .half(let number): Self.partitions | number
    }
  }

  /// The levels that a group belongs to.
  static func levels(of group: UInt64) -> [UInt32] {
    [UInt32(truncatingIfNeeded: group >> groupBits), partitions | UInt32(truncatingIfNeeded: group >> 63)]
  }
}
