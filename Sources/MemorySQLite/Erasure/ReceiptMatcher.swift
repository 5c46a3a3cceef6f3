import EpisodicMemory
import GRDB
import SQLiteStorage
import StoreRows

/// Finds the rows of a copy that receipts name: by the digest of an id, or by digests of what they were selected by, as the same
/// erasure would find them in the copy. So what was deleted or changed between the copy and the erasure is found, too.
///
/// A text cannot be told from its digest: of a selection by text the ids count that had it.
///
/// A row that was created after an erasure is not what was erased: a copy that somebody put in the place of the store goes on. A time
/// in the future says nothing, since an import may set any, and neither does any time if the copy is known to be of before the erasure:
/// the clock was set back between them. An id that was erased counts at any time.
struct ReceiptMatcher {
  private let receipts: [StoredReceipt]
  private let now: Timestamp?
  private let later: Set<ErasureReceipt.ID>
  private let onlyIDs: Bool
  private let groups: [Group]

  /// Receipts whose digests have one key, by their places in `receipts`.
  private final class Group {
    let digests: ErasureDigests
    /// The first receipt of each.
    var traces: [Erasure.Trace: Int] = [:]
    var values: [Erasure.Digest: [Int]] = [:]
    /// By time, or all of a scope.
    var unnamed: [Int] = []
    var kinds: Set<String> = []
    private var domains: [String: Erasure.Digest] = [:]

    init(_ digests: ErasureDigests) { self.digests = digests }

    func digest(ofDomain name: String) -> Erasure.Digest {
      if let known = domains[name] { return known }
      let digest = digests.digest("domain", name)
      if domains.count < 10_000 { domains[name] = digest }
      return digest
    }
  }

  /// - Parameter receipts: In the order of the erasures.
  /// - Parameter now: By the clock; `nil` for a copy that nobody wrote into after the erasures.
  /// - Parameter later: Erasures that are known to have been made after the copy, whatever the clock said.
  /// - Parameter onlyIDs: Whether to find only what was erased under its id, or named by it.
  init(
    _ receipts: [StoredReceipt], now: Timestamp? = nil, later: Set<ErasureReceipt.ID> = [], onlyIDs: Bool = false
  ) {
    self.receipts = receipts
    self.now = now
    self.later = later
    self.onlyIDs = onlyIDs
    var groups: [Group] = []
    for (place, stored) in receipts.enumerated() {
      let index = groups.firstIndex { $0.digests.key == stored.key } ?? groups.count
      if index == groups.count { groups.append(Group(ErasureDigests(key: stored.key))) }
      for trace in stored.traces where groups[index].traces[trace] == nil { groups[index].traces[trace] = place }
      let selection = stored.receipt.selection
      if onlyIDs, selection.kind != "episodes" { continue }
      groups[index].kinds.insert(selection.kind)
      for value in selection.values { groups[index].values[value, default: []].append(place) }
      if ["created", "everything"].contains(selection.kind) { groups[index].unnamed.append(place) }
    }
    self.groups = groups
  }

  /// The rows, with what belongs to them and the patterns that lose their last episode.
  func rows(_ db: Database) throws -> ErasedRows {
    var found = ErasedRows()
    var places: [String: Int] = [:]
    for (row, episode) in try episodes(db) {
      found.episodes[row] = episode.id
      places[episode.id] = episode.place
    }
    found.patterns = try patterns(db)
    if !onlyIDs { found.patterns.merge(try patternsWithoutEvidence(but: places, db)) { first, _ in first } }
    found.idempotencyKeys = try idempotencyKeys(of: places, db)
    found.orphans = try orphans(of: places, db)
    return found
  }

  /// Whether a domain itself was erased, so that its name is to be left nowhere.
  ///
  /// - Parameter changedAt: When the row that has it was written; `nil` if that is not known.
  func isErased(domain: String, changedAt: Timestamp? = nil) -> Bool {
    groups.contains { group in
      let digest = group.digest(ofDomain: domain)
      return ((group.values[digest] ?? []) + group.unnamed).contains { place in
        ["domain", "everything"].contains(receipts[place].receipt.selection.kind) && covers(place, domain, group)
          && !isLater(changedAt, than: place)
      }
    }
  }

  /// Whether a receipt names an episode by its id.
  func isNamed(episode id: String, in domain: String?) -> Bool {
    groups.contains { place(ofEpisode: id, in: domain ?? "", group: $0) != nil }
  }

  // MARK: Rules

  /// Whether a domain is in the scope of an erasure.
  private func covers(_ place: Int, _ domain: String, _ group: Group) -> Bool {
    guard let wanted = receipts[place].receipt.selection.domain else { return true }
    return wanted == group.digest(ofDomain: domain)
  }

  private func isLater(_ time: Timestamp?, than place: Int) -> Bool {
    let receipt = receipts[place].receipt
    guard let now, let time, !later.contains(receipt.id) else { return false }
    return time > receipt.erasedAt && time <= now
  }

  private func place(ofEpisode id: String, in domain: String, group: Group) -> Int? {
    let digest = group.digests.digest(Erasure.Subject.episode.rawValue, id)
    let named = (group.values[digest] ?? []).first { covers($0, domain, group) }
    return [group.traces[Erasure.Trace(.episode, digest)], named].compactMap(\.self).min()
  }

  private func place(
    ofValue digest: Erasure.Digest, in domain: String, _ createdAt: Timestamp, group: Group
  ) -> Int? {
    group.values[digest]?.first { covers($0, domain, group) && !isLater(createdAt, than: $0) }
  }

  /// The receipt that erases everything, or all of a time.
  private func unnamedPlace(
    in domain: String, _ createdAt: Timestamp, group: Group, onlyEverything: Bool = false
  ) -> Int? {
    group.unnamed.first { place in
      let selection = receipts[place].receipt.selection
      if selection.kind == "created" {
        guard !onlyEverything, let from = selection.from, let to = selection.to, from < to,
          (from..<to).contains(createdAt)
        else { return false }
      }
      return covers(place, domain, group) && !isLater(createdAt, than: place)
    }
  }

  // MARK: Rows

  private func episodes(_ db: Database) throws -> [Int64: (id: String, place: Int)] {
    var found: [Int64: (id: String, place: Int)] = [:]
    let readsMetadata = groups.contains { $0.kinds.contains("metadata") }
    let sources = groups.contains { $0.kinds.contains("source") } ? try sources(db) : [:]
    var rows = try RawStatement(
      "SELECT seq, id, domain, session, created_at\(readsMetadata ? ", metadata, sealed" : "") FROM episodes", db)
    // Rows that an erased source itself finds, whose descendants the erasure takes.
    var ofSource: [Int64: (id: String, place: Int)] = [:]
    while try rows.step() {
      let (id, domain) = (rows.text(1), rows.text(2))
      let createdAt = Timestamp(milliseconds: rows.integer(4))
      var places: [Int?] = []
      // Retention had deleted it when the copy was made; where it was before is not known any more.
      if !onlyIDs, domain == Validation.reservedDomain { places.append(0) }
      for group in groups {
        places.append(place(ofEpisode: id, in: domain, group: group))
        let kinds = group.kinds
        if kinds.contains("session"), !rows.isNull(3) {
          let digest = group.digests.digest("session", rows.text(3))
          places.append(place(ofValue: digest, in: domain, createdAt, group: group))
        }
        if kinds.contains("domain") {
          let digest = group.digest(ofDomain: domain)
          places.append(place(ofValue: digest, in: domain, createdAt, group: group))
        }
        if kinds.contains("metadata") {
          for name in Self.names(in: JSON(storedObject: try metadata(of: rows, db)).canonicallyComposed) {
            let digest = group.digests.digest("metadata", name)
            places.append(place(ofValue: digest, in: domain, createdAt, group: group))
          }
        }
        for (name, time) in kinds.contains("source") ? sources[rows.integer(0)] ?? [] : [] {
          let digest = group.digests.digest("source", name)
          let place = group.values[digest]?.first { place in
            let since = receipts[place].receipt.selection.from
            return covers(place, domain, group) && time >= since ?? time && !isLater(createdAt, than: place)
          }
          if let place, place < ofSource[rows.integer(0)]?.place ?? .max { ofSource[rows.integer(0)] = (id, place) }
          places.append(place)
        }
        places.append(unnamedPlace(in: domain, createdAt, group: group))
      }
      if let place = places.compactMap(\.self).min() { found[rows.integer(0)] = (id, place) }
    }
    try addDescendants(of: ofSource, to: &found, db)
    return found
  }

  /// - Throws: `.keyMissing` if they are encrypted: they may have what was erased.
  private func metadata(of row: borrowing RawStatement, _ db: Database) throws -> String {
    if row.isNull(6) { return row.text(5) }
    do {
      return try EpisodeTexts.open(Array(row.bytes(6)), of: Episode.ID(composed: row.text(1)), in: row.text(2), db)
        .metadata
    } catch let error as MemoryError where error.code == .keyDestroyed {
      // Nobody will read them again.
      return "{}"
    }
  }

  /// What was derived from episodes of an erased source: the same erasure takes it there, too.
  ///
  /// Not what was derived from an episode that only its id names: in the copy it is not of that source.
  private func addDescendants(
    of parents: [Int64: (id: String, place: Int)], to found: inout [Int64: (id: String, place: Int)], _ db: Database
  ) throws {
    let children = try db.cachedStatement(
      sql: """
        SELECT e.seq, e.id, e.domain, e.created_at FROM episode_parents p JOIN episodes e ON e.id = p.child_id
        WHERE p.parent_id = ?
        """)
    // One that an earlier erasure has taken had no descendants any more.
    var expanded = parents.filter { $0.value.place == found[$0.key]?.place }
    var pending = Array(expanded.values)
    while let (parent, place) = pending.popLast() {
      for row in try Row.fetchAll(children, arguments: [parent]) {
        let (seq, domain): (Int64, String) = (try row.value(0), try row.value(2))
        guard place <= found[seq]?.place ?? place, place < expanded[seq]?.place ?? .max,
          let group = groups.first(where: { $0.digests.key == receipts[place].key }),
          covers(place, domain, group), !isLater(Timestamp(milliseconds: try row.value(3)), than: place)
        else { continue }
        found[seq] = (try row.value(1), place)
        expanded[seq] = found[seq]
        pending.append((try row.value(1), place))
      }
    }
  }

  /// What a selection could name as sources of episodes and of their steps, with the times of these, by row.
  private func sources(_ db: Database) throws -> [Int64: [(name: String, time: Timestamp)]] {
    var found: [Int64: [(name: String, time: Timestamp)]] = [:]
    for sql in [
      "SELECT seq, source, source_id, created_at FROM episodes WHERE source IS NOT NULL OR source_id IS NOT NULL",
      """
      SELECT e.seq, s.source, s.source_id, s.timestamp FROM steps s JOIN episodes e ON e.id = s.episode_id
      WHERE s.source IS NOT NULL OR s.source_id IS NOT NULL
      """,
    ] {
      var rows = try RawStatement(sql, db)
      while try rows.step() {
        let time = Timestamp(milliseconds: rows.integer(3))
        for column in [1, 2] as [Int32] where !rows.isNull(column) {
          let name = rows.text(column)
          // A word for a kind of source selects by that alone.
          if column == 2, Provenance.Source(rawValue: name) != nil { continue }
          found[rows.integer(0), default: []].append((name, time))
        }
      }
    }
    return found
  }

  /// What a selection could name of metadata: every value at its path.
  private static func names(in metadata: JSON, at path: [String] = []) -> [String] {
    (metadata.members ?? JSON.Object()).flatMap { name, value in
      [ErasureDigests.name(ofMetadata: value, at: path + [name])] + names(in: value, at: path + [name])
    }
  }

  private func patterns(_ db: Database) throws -> [Int64: ErasedRows.PatternName] {
    var found: [Int64: ErasedRows.PatternName] = [:]
    var rows = try RawStatement(
      "SELECT p.seq, p.id, \(ErasureSearch.patternKey), p.domain, p.created_at FROM patterns p", db)
    while try rows.step() {
      let (id, domain) = (rows.text(1), rows.text(3))
      let createdAt = Timestamp(milliseconds: rows.integer(4))
      for group in groups {
        let trace = group.digests.trace(.pattern, id)
        let digest = group.digest(ofDomain: domain)
        guard
          group.traces[trace] != nil
            || !domain.isEmpty && place(ofValue: digest, in: domain, createdAt, group: group) != nil
            || unnamedPlace(in: domain, createdAt, group: group, onlyEverything: true) != nil
        else { continue }
        found[rows.integer(0)] = ErasedRows.PatternName(id: id, key: rows.text(2))
        break
      }
    }
    return found
  }

  /// Patterns that are linked to erased episodes and to no others: the receipt that erases the last of these decides.
  private func patternsWithoutEvidence(
    but erased: [String: Int], _ db: Database
  ) throws -> [Int64: ErasedRows.PatternName] {
    var links: [String: (count: Int, last: Int)] = [:]
    var linked = try RawStatement("SELECT pattern_id FROM episode_patterns WHERE episode_id = ?", db)
    for (id, place) in erased {
      try id.withContiguousUTF8 { try linked.bind(text: $0) }
      while try linked.step() {
        let known = links[linked.text(0)] ?? (0, place)
        links[linked.text(0)] = (known.count + 1, max(known.last, place))
      }
      linked.reset()
    }
    var found: [Int64: ErasedRows.PatternName] = [:]
    var rows = try RawStatement(ErasureSearch.patternWithLinks, db)
    for (id, link) in links where receipts[link.last].receipt.selection.patterns == .eraseWithoutEvidence {
      try id.withContiguousUTF8 { try rows.bind(text: $0) }
      if try rows.step(), rows.integer(4) == Int64(link.count) {
        let domain = rows.text(3)
        if let group = groups.first(where: { $0.digests.key == receipts[link.last].key }),
          covers(link.last, domain, group)
        {
          found[rows.integer(0)] = ErasedRows.PatternName(id: rows.text(1), key: rows.text(2))
        }
      }
      rows.reset()
    }
    return found
  }

  private func idempotencyKeys(
    of erased: [String: Int], _ db: Database
  ) throws -> Set<IdempotencyKeyName> {
    var found: Set<IdempotencyKeyName> = []
    var rows = try RawStatement("SELECT domain, key, episode_id, created_at FROM idempotency_keys", db)
    while try rows.step() {
      let name = IdempotencyKeyName(domain: rows.text(0), key: rows.text(1))
      let (episode, createdAt) = (rows.text(2), Timestamp(milliseconds: rows.integer(3)))
      let isFound = groups.contains { group in
        if group.traces[group.digests.trace(.idempotencyKey, name.name)] != nil { return true }
        if onlyIDs { return false }
        if erased[episode] != nil || place(ofEpisode: episode, in: name.domain, group: group) != nil { return true }
        let digest = group.digest(ofDomain: name.domain)
        return place(ofValue: digest, in: name.domain, createdAt, group: group) != nil
          || unnamedPlace(in: name.domain, createdAt, group: group, onlyEverything: true) != nil
      }
      if isFound { found.insert(name) }
    }
    return found
  }

  /// Nobody knows the domain of a row without an owner, so only erasures in the whole store reach it.
  private func orphans(of erased: [String: Int], _ db: Database) throws -> Set<Int64> {
    func reachesAll(_ place: Int?) -> Bool {
      place.map { receipts[$0].receipt.selection.domain == nil } ?? false
    }
    var found: Set<Int64> = []
    var rows = try RawStatement("SELECT seq, content FROM orphans_kept", db)
    while try rows.step() {
      let content = rows.text(1)
      var owner: String?
      if !onlyIDs, case .string(let id)? = JSON(stored: content)["episode_id"] { owner = id }
      let isFound = groups.contains { group in
        if group.traces[group.digests.trace(.orphan, content)] != nil { return true }
        if onlyIDs { return false }
        if let owner {
          if reachesAll(erased[owner]) || reachesAll(place(ofEpisode: owner, in: "", group: group)) { return true }
        }
        return group.unnamed.contains {
          receipts[$0].receipt.selection.kind == "everything" && reachesAll($0)
        }
      }
      if isFound { found.insert(rows.integer(0)) }
    }
    return found
  }
}
