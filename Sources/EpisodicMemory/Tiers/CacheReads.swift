/// What a cache has counted since its files were created.
package struct CacheReads: Hashable, Sendable {
  /// Hours that figures are kept: 400 days.
  package static let hoursKept: Int64 = 400 * 24

  /// Hits and misses of one kind of entry.
  package struct Counts: Hashable, Sendable {
    package var hits: Int64
    package var misses: Int64

    package init(hits: Int64, misses: Int64) {
      self.hits = hits
      self.misses = misses
    }
  }

  /// Identifies the files: those of another epoch began to count at 0.
  package let epoch: UInt64
  package let kinds: [CacheStatistics.Kind: Counts]

  package init(epoch: UInt64, kinds: [CacheStatistics.Kind: Counts]) {
    self.epoch = epoch
    self.kinds = kinds
  }

  /// `nil` if there is no cache, which counts nothing.
  init?(_ statistics: CacheStatistics) {
    guard let epoch = statistics.epoch else { return nil }
    let kinds = CacheStatistics.Kind.allCases.map { kind in
      (kind, Counts(hits: Int64(statistics[kind].hits), misses: Int64(statistics[kind].misses)))
    }
    self.init(epoch: epoch, kinds: Dictionary(uniqueKeysWithValues: kinds))
  }

  // MARK: The setting that keeps what was last added

  /// The name of the setting.
  package static let setting = "cache.reads"

  package var json: JSON {
    let kinds = kinds.sorted { $0.key.rawValue < $1.key.rawValue }.map { kind, counts in
      (kind.name, ["hits": .integer(counts.hits), "misses": .integer(counts.misses)] as JSON)
    }
    return ["epoch": .string(String(epoch, radix: 16)), "kinds": .object(JSON.Object(kinds))]
  }

  /// `nil` for another form, such as that of a newer version.
  package init?(json: JSON) {
    guard case .string(let text)? = json["epoch"], let epoch = UInt64(text, radix: 16) else { return nil }
    var kinds: [CacheStatistics.Kind: Counts] = [:]
    for kind in CacheStatistics.Kind.allCases {
      guard let counts = json["kinds"]?[kind.name] else { continue }
      guard case .integer(let hits)? = counts["hits"], case .integer(let misses)? = counts["misses"] else { return nil }
      kinds[kind] = Counts(hits: hits, misses: misses)
    }
    self.init(epoch: epoch, kinds: kinds)
  }

  /// What was counted since an earlier value: all of it if the files are others. A counter that is behind, because another
  /// process saw more, counts as unchanged.
  package func increase(since last: CacheReads?) -> CacheReads {
    guard let last, last.epoch == epoch else { return self }
    return CacheReads(
      epoch: epoch,
      kinds: kinds.reduce(into: [:]) { result, kind in
        let before = last.kinds[kind.key] ?? Counts(hits: 0, misses: 0)
        result[kind.key] = Counts(
          hits: max(0, kind.value.hits &- before.hits), misses: max(0, kind.value.misses &- before.misses))
      })
  }

  /// The furthest that both have counted, so that nothing is added twice.
  package func furthest(_ last: CacheReads?) -> CacheReads {
    guard let last, last.epoch == epoch else { return self }
    return CacheReads(
      epoch: epoch,
      kinds: kinds.merging(last.kinds) { a, b in
        Counts(hits: max(a.hits, b.hits), misses: max(a.misses, b.misses))
      })
  }
}
