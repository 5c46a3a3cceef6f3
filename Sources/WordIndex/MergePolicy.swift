/// A merge that is due.
package struct MergePlan: Sendable, Equatable {
  /// The segments to merge into one; none if there are only values of replaced segments to delete.
  let inputs: [UInt32]
}

/// Chooses segments to merge: tiers of segments, each with up to eight times the documents of the one below.
enum MergePolicy {
  private static let factor = 8
  /// In one merge, at most.
  private static let widest = 32
  /// A merge of up to this many documents, and bytes, runs inside `add`: its output is held in memory until the commit.
  private static let smallDocuments = 4_096
  private static let smallBytes: UInt64 = 4 << 20

  /// The segments of the lowest tier that has eight of them, oldest first.
  static func fullTier(_ segments: [Manifest.Segment]) -> [Manifest.Segment]? {
    let tiers = Dictionary(grouping: segments, by: tier)
    guard let full = tiers.filter({ $0.value.count >= factor }).min(by: { $0.key < $1.key }) else { return nil }
    return Array(full.value.prefix(widest))
  }

  /// The first segment of which more than a quarter is dead.
  static func wasteful(_ segments: [Manifest.Segment]) -> Manifest.Segment? {
    segments.first { $0.dead * 4 > $0.documents }
  }

  static func isSmall(_ segments: [Manifest.Segment]) -> Bool {
    segments.reduce(0) { $0 + $1.alive } <= smallDocuments && segments.reduce(0) { $0 + $1.bytes } <= smallBytes
  }

  private static func tier(_ segment: Manifest.Segment) -> Int {
    var (tier, size) = (0, factor)
    while size <= segment.alive {
      tier += 1
      size *= factor
    }
    return tier
  }
}
