/// Keeps one source from filling a recall: with many episodes, or with the same one many times.
///
/// Only episodes that name their source are counted. Of a source that is not trusted at most `Query.maximumPerSource` are hits, 3 by
/// default. Of any source at most 3 are near-duplicates of each other: episodes of which at least 80 % of the different words of
/// both contexts are in each, numbers aside.
struct SourceLimiter {
  enum Verdict: Equatable {
    case admitted
    /// There are enough of the source.
    case refused
    /// A near-duplicate of that row, of which there are enough.
    case copy(of: Int64)
  }

  static let standardPerSource = 3
  private static let copies = 3
  private static let similarity = 0.8

  private let snapshot: any PrimarySnapshot
  /// `nil`: the default.
  private let perSource: Int?
  private let isNeeded: Bool
  /// Of each source, the hits: the row and its words.
  private var admitted: [String: [(row: Int64, words: Set<Substring>)]] = [:]

  init(_ snapshot: any PrimarySnapshot, perSource: Int?) throws(MemoryError) {
    self.snapshot = snapshot
    self.perSource = perSource
    isNeeded = try snapshot.hasNamedSources()
  }

  mutating func verdict(on row: Int64, _ trust: Trust) throws(MemoryError) -> Verdict {
    guard isNeeded, let origin = try snapshot.origin(of: row) else { return .admitted }
    let others = admitted[origin.source] ?? []
    let words = Self.words(of: origin.context)
    let similar = others.filter { Self.areSimilar($0.words, words) }
    if similar.count >= Self.copies { return .copy(of: similar[0].row) }
    if let most = perSource ?? (trust < .trusted ? Self.standardPerSource : nil), others.count >= most {
      return .refused
    }
    admitted[origin.source, default: []].append((row, words))
    return .admitted
  }

  /// Folded words without digits, so that counters do not tell copies apart.
  private static func words(of context: String) -> Set<Substring> {
    Set(context.lowercased().split { !$0.isLetter })
  }

  private static func areSimilar(_ a: Set<Substring>, _ b: Set<Substring>) -> Bool {
    let common = a.intersection(b).count
    let all = a.count + b.count - common
    return all == 0 || Double(common) >= similarity * Double(all)
  }
}
