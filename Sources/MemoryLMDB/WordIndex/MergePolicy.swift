/// Which segments to merge.
enum MergePolicy {
  /// A tier has segments of up to this many times the documents of the one below; as many of them make one of the next.
  static let factor = 8
  /// Merges of up to so many documents happen inside of `add`.
  static let smallMerge = 4_096
  /// And of so many bytes: they are held in memory until they are committed.
  static let smallMergeBytes: UInt64 = 4 << 20
  /// In one merge, at most.
  static let widest = 32

  /// The segments of the lowest tier that is full, oldest first.
  static func fullTier(_ segments: [WordManifest.Segment]) -> [WordManifest.Segment]? {
    var tiers: [Int: [WordManifest.Segment]] = [:]
    for segment in segments { tiers[tier(segment), default: []].append(segment) }
    guard let full = tiers.filter({ $0.value.count >= factor }).min(by: { $0.key < $1.key }) else { return nil }
    return Array(full.value.prefix(widest))
  }

  /// The first segment of which more than a quarter is dead.
  static func wasteful(_ segments: [WordManifest.Segment]) -> WordManifest.Segment? {
    segments.first { $0.dead * 4 > $0.documents }
  }

  /// Whether a merge is small enough for the transaction that adds a segment.
  static func isSmall(_ segments: [WordManifest.Segment]) -> Bool {
    segments.reduce(0) { $0 + $1.alive } <= smallMerge && segments.reduce(0) { $0 + $1.bytes } <= smallMergeBytes
  }

  private static func tier(_ segment: WordManifest.Segment) -> Int {
    var (tier, size) = (0, factor)
    while size <= segment.alive {
      tier += 1
      size *= factor
    }
    return tier
  }
}
