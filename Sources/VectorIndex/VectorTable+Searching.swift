package import LMDB
package import Vectors

/// A row and its exact similarity to a query.
package struct VectorMatch: Sendable {
  package let id: Int64
  package let group: Int64
  package let similarity: Double
}

extension VectorTable {
  /// The rows nearest to a query, best first, until they are of `wanted` groups or of all that there are.
  ///
  /// - Parameter query: Any metric.
  /// - Parameter similarity: The exact similarity of a row's stored vector; `nil` if the row does not exist there.
  /// - Throws: `.damaged`; what `similarity` throws.
  package func nearest<Failure: LMDBFailure>(
    to query: VectorQuery, space name: String, _ filter: AttributeFilter, wanted: Int,
    in transaction: borrowing ReadTransaction,
    similarity: (_ id: Int64, _ group: Int64) throws(Failure) -> Double?
  ) throws(Failure) -> [VectorMatch] {
    let found: (space: SpaceRecord, slabs: [SlabView])?
    do throws(LMDBError) {
      found = try slabs(ofSpace: name, dimensions: query.vector.dimensions, filter, in: transaction)
    } catch {
      throw Failure(error)
    }
    guard let (space, slabs) = found else { return [] }
    let search = VectorSearch(
      query: CodeQuery(query.vector, instructionSet: query.instructionSet), metric: query.metric,
      queryNorm: query.norm, filter: filter, generation: generation)
    var depth = wanted
    while true {
      let candidates = scratch.withScratch { scratch in
        search.candidates(slabs, lengthsDiffer: space.lengthsDiffer, wanted: depth, scratch)
      }
      // Many vectors of few groups may leave too few groups: repeat with more candidates, at last with all.
      if let matches = try compare(candidates, groups: wanted, similarity) { return matches }
      guard !candidates.areAll else { return try compare(candidates, groups: nil, similarity) ?? [] }
      depth = depth.multipliedReportingOverflow(by: 4).partialValue
    }
  }

  /// The ids of the rows of some groups in a space, by group: one seek a group.
  package func ids(
    ofGroups groups: [Int64], space name: String, dimensions: Int, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> [Int64: [Int64]] {
    var found: [Int64: [Int64]] = [:]
    let spaces = try spaces(in: transaction)
    guard let space = spaces.first(where: { $0.name == name && $0.dimensions == dimensions }) else { return [:] }
    for group in groups {
      let ids = try self.groups.ids(ofGroup: group, space: space.number, in: transaction)
      if !ids.isEmpty { found[group] = ids }
    }
    return found
  }

  /// The spaces that have a row of a partition, `nil` for any, in one of some states.
  ///
  /// - Parameter states: A bit for each.
  /// - Complexity: By the records of slabs; reads the states of those in which other states occur, up to the first row.
  package func spaces(
    ofPartition partition: UInt32?, states: UInt32, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> [(name: String, dimensions: Int)] {
    let filter = AttributeFilter(partition: partition, series: nil, kind: nil, states: states, times: .min ... .max)
    var found: [(name: String, dimensions: Int)] = []
    for space in try spaces(in: transaction) where try has(filter, space, in: transaction) {
      found.append((space.name, space.dimensions))
    }
    return found
  }

  private func has(
    _ filter: AttributeFilter, _ space: SpaceRecord, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> Bool {
    let own = space.slabs.filter { $0.alive > 0 && (filter.partition ?? $0.partition) == $0.partition }
    if own.contains(where: { $0.states & ~filter.states == 0 }) { return true }
    func hasRow(_ view: SlabView) -> Bool {
      (0..<view.count).contains { slot in
        let state = view.state(slot)
        return state != SlabLayout.dead && filter.admits(view.columns.attributes(slot, state: state))
      }
    }
    if let tail = try tail(of: space, in: transaction), hasRow(tail) { return true }
    let layout = SlabLayout(dimensions: space.dimensions)
    for slab in own where slab.states & filter.states != 0 {
      if hasRow(try view(of: slab, layout, in: transaction)) { return true }
    }
    return false
  }

  /// The slabs that may hold rows that pass, and the tail; `nil` if there is no such space.
  private func slabs(
    ofSpace name: String, dimensions: Int, _ filter: AttributeFilter, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> (space: SpaceRecord, slabs: [SlabView])? {
    let spaces = try spaces(in: transaction)
    guard let space = spaces.first(where: { $0.name == name && $0.dimensions == dimensions }) else { return nil }
    let layout = SlabLayout(dimensions: dimensions)
    var slabs: [SlabView] = []
    for slab in space.slabs where slab.alive > 0 && slab.times.overlaps(filter.times) {
      guard (filter.partition ?? slab.partition) == slab.partition else { continue }
      slabs.append(try view(of: slab, layout, in: transaction))
    }
    if let tail = try tail(of: space, in: transaction) { slabs.append(tail) }
    return (space, slabs)
  }

  /// Compares candidates exactly, best estimate first, until no other can be among the best of `groups` groups.
  ///
  /// - Parameter groups: `nil`: compares all candidates.
  /// - Returns: Best first; `nil` if they are of fewer groups.
  private func compare<Failure: LMDBFailure>(
    _ candidates: VectorCandidates, groups: Int?, _ similarity: (Int64, Int64) throws(Failure) -> Double?
  ) throws(Failure) -> [VectorMatch]? {
    var matches: [VectorMatch] = []
    var best: [Int64: Double] = [:]
    var leading = LeadingScores(capacity: groups ?? 0)
    var candidates = candidates
    while true {
      let next: VectorCandidates.Candidate?
      do throws(LMDBError) { next = try candidates.next() } catch { throw Failure(error) }
      guard let candidate = next else { break }
      if groups != nil, let worst = leading.worst, candidate.estimate + candidate.margin < worst { break }
      guard let similarity = try similarity(candidate.id, candidate.group) else { continue }
      matches.append(VectorMatch(id: candidate.id, group: candidate.group, similarity: similarity))
      let before = best[candidate.group]
      if let before, before >= similarity { continue }
      best[candidate.group] = similarity
      leading.replace(before, with: similarity)
    }
    if let groups, best.count < groups { return nil }
    return matches.sorted { ($1.similarity, $0.id) < ($0.similarity, $1.id) }
  }
}

/// The best scores of different groups, each of which may improve.
private struct LeadingScores {
  private let capacity: Int
  /// Ascending.
  private var scores: [Double] = []

  init(capacity: Int) { self.capacity = capacity }

  /// The worst of the best, once there are `capacity`.
  var worst: Double? { scores.count == capacity ? scores.first : nil }

  mutating func replace(_ before: Double?, with score: Double) {
    if let before, let place = scores.firstIndex(of: before) { scores.remove(at: place) }
    guard scores.count < capacity || score > scores.first ?? .infinity else { return }
    scores.insert(score, at: scores.firstIndex { $0 > score } ?? scores.count)
    if scores.count > capacity { scores.removeFirst() }
  }
}
