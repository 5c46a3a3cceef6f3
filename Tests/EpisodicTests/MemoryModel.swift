import Episodic
import EpisodicMemory

/// What a memory is to hold, in plain dictionaries: the oracle of `MemoryModelTests`.
///
/// A verb returns what changed or throws the code of the error. Trust is stored and lowered as the documentation says: along
/// parents and links, within a domain, and raised only by a decision.
struct MemoryModel {
  struct Kept {
    var row: Int
    var id: Episode.ID
    var domain: String
    var context: String
    var session: String?
    var status = Episode.Status.active
    var createdAt: Timestamp
    var metadata: JSON = [:]
    var provenance: Provenance
    var parents: [Episode.ID]
    /// Those that it is lowered by: what was erased is no more named in `parents`.
    var steps: [KeptStep] = []
    var trust: Trust
    var decisions: [Decision] = []
    /// Another after each time that it was inserted.
    var generation = 0

    var ownTrust: Trust {
      steps.reduce(provenance.level ?? .trusted) { min($0, $1.provenance.level ?? $0) }
    }
  }

  struct KeptStep: Equatable {
    var number: Int
    var action: String
    var result: String?
    var success: Bool?
    var provenance: Provenance
    /// As the store made it.
    var id: Step.ID
  }

  struct Decision: Equatable {
    var trust: Trust
    var before: Trust
    /// The number of a step; `nil`: of the episode.
    var step: Int?
  }

  struct KeptPattern: Equatable {
    var domain: String?
    var word: String
    var usage: Int64 = 0
    var said: Trust?
    var trust = Trust.trusted
  }

  struct KeptVector: Equatable {
    var episode: Episode.ID
    var content: String
  }

  /// A request that may come again.
  struct Request {
    let key: String
    let drafts: [Step.Draft]
    let episode: Episode.ID
    let domain: String
    let generation: Int
    let steps: [Step.ID]
  }

  struct Refusal: Error, Equatable {
    let code: MemoryError.Code
    init(_ code: MemoryError.Code) { self.code = code }
  }

  private(set) var episodes: [Episode.ID: Kept] = [:]
  private(set) var patterns: [Pattern.ID: KeptPattern] = [:]
  private(set) var links: [Pattern.ID: Set<Episode.ID>] = [:]
  private(set) var vectors: [Embedding.ID: KeptVector] = [:]
  private(set) var requests: [Request] = []
  private var lastRow = 0
  private var lastGeneration = 0

  // MARK: Episodes

  private func kept(_ id: Episode.ID, _ scope: String?) throws(Refusal) -> Kept {
    guard let kept = episodes[id], scope == nil || kept.domain == scope else { throw Refusal(.notFound) }
    return kept
  }

  mutating func begin(_ draft: Episode.Draft, id: Episode.ID, at now: Timestamp) throws(Refusal) {
    guard episodes[id] == nil else { throw Refusal(.conflict) }
    lastRow += 1
    let kept = Kept(
      row: lastRow, id: id, domain: draft.domain, context: draft.context, session: draft.session, createdAt: now,
      metadata: draft.metadata, provenance: draft.provenance, parents: draft.parents, trust: .trusted)
    add(kept)
  }

  /// As `insert` of one episode does it.
  mutating func insert(
    _ episode: Episode, stepIDs: [Step.ID], _ existing: Episode.ExistingPolicy, _ scope: String?
  ) throws(Refusal) {
    var kept = Kept(
      row: lastRow + 1, id: episode.id, domain: episode.domain, context: episode.context, session: episode.session,
      status: episode.status, createdAt: episode.createdAt, metadata: episode.metadata, provenance: episode.provenance,
      parents: episode.parents,
      steps: zip(episode.steps, stepIDs).map { step, id in
        KeptStep(
          number: step.number, action: step.action, result: step.result, success: step.success,
          provenance: step.provenance, id: id)
      }, trust: .trusted)
    guard let old = episodes[episode.id] else {
      lastRow += 1
      return add(kept)
    }
    switch existing {
    case .fail: throw Refusal(.conflict)
    case .skip:
      if scope != nil, old.domain != kept.domain { throw Refusal(.conflict) }
    case .replace:
      guard old.domain == kept.domain else { throw Refusal(.conflict) }
      kept.row = old.row
      episodes[old.id] = nil
      vectors = vectors.filter { $0.value.episode != old.id || kept.context == old.context }
      let own = old.decisions.filter { $0.step == nil }
      let ofSteps = old.decisions.filter { decision in kept.steps.contains { $0.number == decision.step } }
      add(kept, own + ofSteps)
    }
  }

  private mutating func add(_ new: Kept, _ decisions: [Decision] = []) {
    var kept = new
    lastGeneration += 1
    kept.generation = lastGeneration
    kept.trust = kept.ownTrust
    for parent in kept.parents {
      if let parent = episodes[parent], parent.domain == kept.domain { kept.trust = min(kept.trust, parent.trust) }
    }
    kept.decisions = decisions
    if let last = decisions.last(where: { $0.step == nil })?.trust {
      if kept.provenance.level ?? .trusted > last { kept.provenance.trust = last }
      kept.trust = min(kept.trust, last)
    }
    for index in kept.steps.indices {
      guard let last = decisions.last(where: { $0.step == kept.steps[index].number })?.trust else { continue }
      if kept.steps[index].provenance.level ?? .trusted > last { kept.steps[index].provenance.trust = last }
      kept.trust = min(kept.trust, last)
    }
    episodes[kept.id] = kept
    lower(kept.id, to: kept.trust)
  }

  mutating func append(_ drafts: [Step.Draft], ids: [Step.ID], to id: Episode.ID, _ scope: String?) throws(Refusal) {
    let kept = try kept(id, scope)
    guard kept.status == .active else { throw Refusal(.conflict) }
    for (draft, step) in zip(drafts, ids) {
      let number = (episodes[id]?.steps.last?.number ?? 0) + 1
      episodes[id]?.steps.append(
        KeptStep(
          number: number, action: draft.action, result: draft.result, success: draft.success,
          provenance: draft.provenance, id: step))
    }
    if let least = drafts.compactMap(\.provenance.level).min() { lower(id, to: least) }
  }

  /// Appends with a key, or answers as the first time.
  mutating func append(
    _ drafts: [Step.Draft], ids: [Step.ID], to id: Episode.ID, key: String, _ scope: String?
  ) throws(Refusal) {
    let domain = try kept(id, scope).domain
    guard let first = requests.last(where: { $0.key == key && $0.domain == domain }) else {
      try append(drafts, ids: ids, to: id, scope)
      guard let kept = episodes[id] else { return }
      requests.append(
        Request(
          key: key, drafts: drafts, episode: id, domain: domain, generation: kept.generation, steps: ids))
      return
    }
    guard episodes[first.episode]?.generation == first.generation else { throw Refusal(.notFound) }
    guard first.drafts == drafts, first.episode == id else { throw Refusal(.conflict) }
    if !ids.isEmpty, first.steps != ids { throw Refusal(.corrupted) }
  }

  mutating func move(_ id: Episode.ID, to status: Episode.Status, _ scope: String?) throws(Refusal) {
    let kept = try kept(id, scope)
    let isAllowed = status == .completed || status == .failed ? kept.status == .active : kept.status != status
    guard isAllowed else { throw Refusal(.conflict) }
    episodes[id]?.status = status
  }

  mutating func update(_ id: Episode.ID, context: String, session: String?, _ scope: String?) throws(Refusal) {
    _ = try kept(id, scope)
    episodes[id]?.context = context
    episodes[id]?.session = session
  }

  @discardableResult
  mutating func delete(_ id: Episode.ID, _ scope: String?) -> Bool {
    guard let kept = episodes[id], scope == nil || kept.domain == scope else { return false }
    episodes[id] = nil
    vectors = vectors.filter { $0.value.episode != id }
    for pattern in links.keys { links[pattern]?.remove(id) }
    return true
  }

  // MARK: Patterns and vectors

  func pattern(_ word: String, _ domain: String?) -> Pattern.ID? {
    patterns.first { $0.value.word == word && $0.value.domain == domain }?.key
  }

  mutating func record(_ word: String, domain: String?, id: Pattern.ID) {
    if patterns[id] == nil { patterns[id] = KeptPattern(domain: domain, word: word) }
  }

  private func visible(_ id: Pattern.ID, _ scope: String?) -> KeptPattern? {
    guard let pattern = patterns[id], let scope else { return patterns[id] }
    if let domain = pattern.domain { return domain == scope ? pattern : nil }
    return (links[id] ?? []).contains { episodes[$0]?.domain == scope } ? pattern : nil
  }

  mutating func link(_ id: Pattern.ID, to episode: Episode.ID, _ scope: String?) throws(Refusal) -> Bool {
    let kept = try kept(episode, scope)
    guard let pattern = visible(id, scope), pattern.domain == nil || pattern.domain == kept.domain else {
      throw Refusal(.notFound)
    }
    guard links[id, default: []].insert(episode).inserted else { return false }
    patterns[id]?.trust = min(pattern.trust, kept.trust)
    return true
  }

  mutating func unlink(_ id: Pattern.ID, from episode: Episode.ID, _ scope: String?) -> Bool {
    guard let kept = episodes[episode], scope == nil || kept.domain == scope else { return false }
    return links[id]?.remove(episode) != nil
  }

  mutating func markUsed(_ id: Pattern.ID, _ scope: String?) throws(Refusal) {
    try requireOwn(id, scope)
    patterns[id]?.usage += 1
  }

  mutating func delete(pattern id: Pattern.ID, _ scope: String?) throws(Refusal) -> Bool {
    guard visible(id, scope) != nil else { return false }
    try requireOwn(id, scope)
    patterns[id] = nil
    links[id] = nil
    return true
  }

  private func requireOwn(_ id: Pattern.ID, _ scope: String?) throws(Refusal) {
    guard let pattern = visible(id, scope) else { throw Refusal(.notFound) }
    guard scope == nil || pattern.domain != nil else { throw Refusal(.conflict) }
  }

  mutating func embed(_ id: Embedding.ID, _ draft: Embedding.Draft, _ scope: String?) throws(Refusal) {
    _ = try kept(draft.episodeID, scope)
    vectors[id] = KeptVector(episode: draft.episodeID, content: draft.content)
  }

  mutating func delete(vector id: Embedding.ID, _ scope: String?) -> Bool {
    guard let vector = vectors[id], scope == nil || episodes[vector.episode]?.domain == scope else { return false }
    vectors[id] = nil
    return true
  }

  // MARK: Trust

  private mutating func lower(_ id: Episode.ID, to level: Trust) {
    var pending = [id]
    while let id = pending.popLast() {
      if let kept = episodes[id], kept.trust > level { episodes[id]?.trust = level }
      for (pattern, linked) in links where linked.contains(id) {
        if let trust = patterns[pattern]?.trust, trust > level { patterns[pattern]?.trust = level }
      }
      let domain = episodes[id]?.domain
      pending += episodes.values.filter { $0.domain == domain && $0.parents.contains(id) && $0.trust > level }.map(\.id)
    }
  }

  mutating func decide(_ subject: TrustSubject, _ trust: Trust, raises: Bool, _ scope: String?) throws(Refusal) {
    switch subject {
    case .episode(let id): try decide(episode: id, trust, raises: raises, scope)
    case .step(let id):
      let owner = episodes.values.first { kept in kept.steps.contains { $0.id == id } }
      guard let owner, scope == nil || owner.domain == scope,
        let index = owner.steps.firstIndex(where: { $0.id == id })
      else { throw Refusal(.notFound) }
      let before = owner.steps[index].provenance.level ?? owner.provenance.level ?? .trusted
      if raises, before >= trust { throw Refusal(.conflict) }
      episodes[owner.id]?.steps[index].provenance.trust = trust
      lower(owner.id, to: trust)
      episodes[owner.id]?.decisions.append(Decision(trust: trust, before: before, step: owner.steps[index].number))
    case .pattern(let id):
      guard let pattern = visible(id, scope) else { throw Refusal(.notFound) }
      guard scope == nil || pattern.domain != nil else { throw Refusal(.conflict) }
      if raises, pattern.trust >= trust { throw Refusal(.conflict) }
      patterns[id]?.said = trust
      patterns[id]?.trust = trust
    case .source(let source, _):
      let found = ofSource(source, scope)
      guard !found.isEmpty else { throw Refusal(.notFound) }
      for id in found {
        if raises, let now = episodes[id]?.trust, now >= trust { continue }
        try decide(episode: id, trust, raises: raises, scope)
      }
    }
  }

  private func ofSource(_ source: String, _ scope: String?) -> [Episode.ID] {
    let kind = Provenance.Source(rawValue: source)
    func matches(_ provenance: Provenance) -> Bool {
      kind == nil ? provenance.sourceID == source : provenance.source == kind
    }
    return episodes.values.filter { kept in
      (scope == nil || kept.domain == scope)
        && (matches(kept.provenance) || kept.steps.contains { matches($0.provenance) })
    }.sorted { $0.row < $1.row }.map(\.id)
  }

  private mutating func decide(
    episode id: Episode.ID, _ trust: Trust, raises: Bool, _ scope: String?
  ) throws(Refusal) {
    let before = try kept(id, scope).trust
    if raises, before >= trust { throw Refusal(.conflict) }
    episodes[id]?.provenance.trust = trust
    if trust < before { lower(id, to: trust) } else { episodes[id]?.trust = trust }
    episodes[id]?.decisions.append(Decision(trust: trust, before: before))
  }

  // MARK: Erasure

  /// What an erasure erased.
  struct Erased {
    var episodes: Set<Episode.ID> = []
    var patterns: Set<Pattern.ID> = []
  }

  /// - Parameter also: In a copy of before: what is erased by its id besides.
  mutating func forget(
    _ selection: Erasure.Selection, _ policy: Erasure.PatternPolicy, _ scope: String?, also: Erased? = nil
  ) -> Erased {
    let inScope = episodes.values.filter { scope == nil || $0.domain == scope }
    var erased: Set<Episode.ID>
    switch selection {
    case .episodes(let ids): erased = Set(inScope.map(\.id)).intersection(ids)
    case .session(let name): erased = Set(inScope.filter { $0.session == name }.map(\.id))
    case .created(let range): erased = Set(inScope.filter { range.contains($0.createdAt) }.map(\.id))
    case .metadata(let path, let value):
      erased = Set(inScope.filter { path.reduce(Optional($0.metadata)) { $0?[$1] } == value }.map(\.id))
    case .text(let text, _):
      erased = Set(
        inScope.filter { kept in
          ([kept.context] + kept.steps.flatMap { [$0.action, $0.result ?? ""] }
            + vectors.values.filter { $0.episode == kept.id }.map(\.content)).contains { $0.contains(text) }
        }.map(\.id))
    case .source(let source, _):
      erased = Set(ofSource(source, scope))
      var pending = Array(erased)
      while let id = pending.popLast() {
        for child in inScope where child.parents.contains(id) && erased.insert(child.id).inserted {
          pending.append(child.id)
        }
      }
    default: erased = []
    }
    erased.formUnion((also?.episodes ?? []).intersection(episodes.keys))
    let learned = links.filter { !$0.value.isDisjoint(with: erased) }.map(\.key)
    for id in erased {
      delete(id, nil)
      // From within a domain, those of another keep the id; a restore leaves it nowhere.
      for child in episodes.values where also != nil || scope == nil || child.domain == scope {
        episodes[child.id]?.parents.removeAll { $0 == id }
      }
    }
    requests.removeAll { request in
      if case .episodes(let ids) = selection, ids.contains(request.episode), scope == nil || request.domain == scope {
        return true
      }
      return erased.contains(request.episode)
    }
    var gone = (also?.patterns ?? []).intersection(patterns.keys)
    for id in learned {
      let left = links[id] ?? []
      if left.isEmpty, policy == .eraseWithoutEvidence, scope == nil || patterns[id]?.domain == scope {
        gone.insert(id)
      } else if let said = patterns[id]?.said ?? .some(.trusted) {
        patterns[id]?.trust = left.compactMap { episodes[$0]?.trust }.reduce(said, min)
      }
    }
    for id in gone {
      patterns[id] = nil
      links[id] = nil
    }
    return Erased(episodes: erased, patterns: gone)
  }
}
