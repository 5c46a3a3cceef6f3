import Episodic
import EpisodicMemory
import Foundation
import Learning
import TestSupport
import Testing

/// Random sequences over the verbs of a memory, on disk with cache and index, each outcome compared with `MemoryModel`.
///
/// `EPISODIC_SEQUENCES=5000 swift test --filter MemoryModelTests` runs as many of 100 operations; `EPISODIC_SEED=7` begins at a seed.
/// With `--traits Encryption` one domain of every other pair of sequences is encrypted.
@Suite struct `Model of a memory` {
  private static let environment = ProcessInfo.processInfo.environment
  private static let sequences = environment["EPISODIC_SEQUENCES"].flatMap(Int.init) ?? 6
  private static let firstSeed = environment["EPISODIC_SEED"].flatMap(UInt64.init) ?? 1

  @Test func `random verbs have the outcomes of the model, and no domain sees a word of another`() async throws {
    for seed in Self.firstSeed..<Self.firstSeed + UInt64(Self.sequences) {
      let sequence = try await MemorySequence(seed: seed)
      for number in 0..<100 {
        await sequence.attempt { sequence async throws in try await sequence.step() }
        if !sequence.trouble.isEmpty {
          Issue.record("EPISODIC_SEED=\(seed), operation \(number): \(sequence.trouble.joined(separator: "\n"))")
          return
        }
      }
      await sequence.attempt { sequence async throws in try await sequence.finish() }
      #expect(sequence.trouble.isEmpty, "EPISODIC_SEED=\(seed): \(sequence.trouble.joined(separator: "\n"))")
      guard sequence.trouble.isEmpty else { return }
    }
  }

  /// Several processes: a child writes a domain of its own while the sequence runs, and both see all of both.
  @Test func `a sequence has the outcomes of the model while another process writes`() async throws {
    let sequence = try await MemorySequence(seed: 1_000_003, isAlone: false)
    let child = try Child(
      "StoreWorker", ["index", sequence.store.path, "elsewhere", "60"], in: sequence.store.directory)
    for _ in 0..<100 where sequence.trouble.isEmpty { try await sequence.step() }
    let status = child.wait()
    let said = try child.standardError
    #expect(status == 0, "\(said)")
    try await sequence.finish()
    #expect(sequence.trouble.isEmpty, "\(sequence.trouble.joined(separator: "\n"))")
    let count = try await sequence.reopened { memory in
      try await memory.episodes(in: .domain("elsewhere"), limit: 100).elements.count
    }
    #expect(count == 60)
  }
}

/// A store and its model, and the verb that comes next.
private final class MemorySequence {
  static let domains = ["quokka", "wombat"]
  /// Of another process; not in the model.
  static let foreign = "elsewhere"
  private static let words = ["alpha", "bravo", "gamma", "delta", "kappa"]

  let store: Store
  private(set) var trouble: [String] = []
  private let clock = ManualClock()
  private var memory: Memory
  private var model = MemoryModel()
  private var random: SeededGenerator
  private var count = 0
  private var ids: [Episode.ID] = []
  private var stepIDs: [Step.ID] = []
  private var patternIDs: [Pattern.ID] = []
  private var vectorIDs: [Embedding.ID] = []
  /// Of every other sequence.
  private let auditing: Auditing
  /// The domain that is encrypted, and the key of the store now.
  private let encrypted: String?
  private var key = StoreKey.random()
  private let isAlone: Bool
  /// A copy of the store, what it has, and what was erased since.
  private var copy: (path: String, key: StoreKey, model: MemoryModel, erasures: [ModelErasure])?

  private struct ModelErasure {
    let selection: Erasure.Selection
    let policy: Erasure.PatternPolicy
    let scope: String?
    let erased: MemoryModel.Erased
  }

  /// - Parameter isAlone: Otherwise nothing is restored, which ends other processes' use of the store.
  init(seed: UInt64, isAlone: Bool = true) async throws {
    self.isAlone = isAlone
    random = SeededGenerator(seed: seed)
    store = try Store()
    auditing = seed.isMultiple(of: 2) ? .off : .on(actor: "anna")
    #if Encryption
      encrypted = seed % 4 < 2 ? nil : Self.domains[1]
    #else
      encrypted = nil
    #endif
    memory = try await Self.open(store, key, clock, auditing)
    if let encrypted { try await memory.encrypt(domain: encrypted) }
  }

  private static func open(
    _ store: Store, _ key: StoreKey, _ clock: ManualClock, _ auditing: Auditing
  ) async throws -> Memory {
    try await store.open { ($0.key, $0.clock, $0.audit) = (.key(key), clock, auditing) }
  }

  private func open() async throws -> Memory { try await Self.open(store, key, clock, auditing) }

  func reopened<Result>(_ body: (Memory) async throws -> Result) async throws -> Result {
    let memory = try await open()
    let result = try await body(memory)
    try await memory.close()
    return result
  }

  // MARK: Choosing

  private func pick<Element>(_ elements: [Element]) -> Element? { elements.randomElement(using: &random) }
  private func one(in number: Int) -> Bool { Int.random(in: 0..<number, using: &random) == 0 }
  private var anyID: Episode.ID { pick(ids.suffix(12) + ["nowhere"]) ?? "nowhere" }

  private func provenance(_ domain: String) -> Provenance {
    guard one(in: 2) else { return Provenance() }
    return Provenance(
      pick(Provenance.Source.allCases),
      id: one(in: 2) ? "\(domain)source\(Int.random(in: 0..<3, using: &random))" : nil,
      actor: "\(domain)actor", trust: one(in: 4) ? pick(Trust.allCases) : nil)
  }

  /// A text of a domain that no other episode has.
  private func text(_ domain: String) -> String {
    count += 1
    return "\(domain)\(Self.words[count % 5]) \(domain)task\(count)"
  }

  private func steps(_ domain: String) -> [Step.Draft] {
    (0..<Int.random(in: 1...3, using: &random)).map { _ in
      Step.Draft(
        "\(domain)act \(text(domain))", result: one(in: 2) ? "\(domain)result" : nil, tool: "\(domain)hammer",
        success: pick([true, false, nil] as [Bool?]) ?? nil, provenance: provenance(domain))
    }
  }

  // MARK: Comparing

  /// Runs a verb in the store and in the model; both succeed, or fail with one code.
  private func both<Found>(
    _ what: String, _ verb: () async throws -> Found, _ modelled: (inout MemoryModel, Found?) throws -> Void
  ) async throws {
    var (found, code): (Found?, MemoryError.Code?) = (nil, nil)
    do {
      found = try await verb()
    } catch let error as MemoryError {
      code = error.code
    }
    var expected: MemoryError.Code?
    do { try modelled(&model, found) } catch let refusal as MemoryModel.Refusal { expected = refusal.code }
    if code != expected {
      trouble.append("\(what): \(code?.rawValue ?? "succeeded"), not \(expected?.rawValue ?? "a success")")
    }
  }

  private func expect(_ holds: Bool, _ what: @autoclosure () -> String) {
    if !holds, trouble.count < 10 { trouble.append(what()) }
  }

  // MARK: Operations

  /// What is thrown is trouble, too, and has its place in the sequence.
  func attempt(_ work: (MemorySequence) async throws -> Void) async {
    do { try await work(self) } catch { trouble.append("\(error)") }
  }

  func step() async throws {
    clock.advance(by: .milliseconds(Int.random(in: 1...5000, using: &random)))
    let domain = pick(Self.domains) ?? "quokka"
    // Half of the verbs through a handle, with ids of either domain.
    let scope = one(in: 2) ? domain : nil
    let id = anyID
    switch Int.random(in: 0..<35, using: &random) {
    case 0...5: try await begin(domain)
    case 6...9: try await append(domain, scope, id)
    case 10...12: try await move(scope, id)
    case 13: try await update(domain, scope, id)
    case 14...15: try await insert(domain, scope, id)
    case 16:
      try await both("delete \(id)") {
        if let scope { try await memory.domain(scope).delete(id) } else { try await memory.delete(id) }
      } _: { model, found in
        if model.delete(id, scope) != found { throw MemoryModel.Refusal(.corrupted) }
      }
    case 17...21: try await pattern(domain, scope, id)
    case 22...23: try await vector(domain, scope, id)
    case 24...27: try await decide(domain, scope, id)
    case 28: try await forget(domain, scope)
    case 29: try await retain(domain, scope)
    case 30: try await upkeep()
    case 31: try await interchange()
    case 32:
      clock.advance(by: .seconds(Int.random(in: -90_000...90_000, using: &random)))
    case 33 where isAlone: try await copyOrRestore()
    default: try await batch(domain, id)
    }
    if let kept = model.episodes[id] { try await compare(kept) }
    if one(in: 12) { try await compareAll() }
  }

  private func begin(_ domain: String) async throws {
    count += 1
    let id: Episode.ID = one(in: 8) ? anyID : Episode.ID("\(domain)-\(count)")
    let parents = one(in: 2) ? [anyID, Episode.ID("\(domain)-\(count + 3)")].filter { $0 != id } : []
    let draft = Episode.Draft(
      .testing, domain: domain, context: text(domain), session: one(in: 3) ? nil : "\(domain)session\(count % 3)",
      metadata: .object(["of": .string(domain), "number": .integer(Int64(count % 10))]), id: id,
      provenance: provenance(domain), parents: parents)
    let now = clock.now()
    try await both("begin \(id) of \(parents)") {
      try await memory.begin(draft)
    } _: { model, _ in
      try model.begin(draft, id: id, at: now)
    }
    if !ids.contains(id), id != "nowhere" { ids.append(id) }
    if id == "nowhere" {
      try await both("delete") {
        try await memory.delete(id)
      } _: { model, _ in
        model.delete(id, nil)
      }
    }
  }

  private func append(_ domain: String, _ scope: String?, _ id: Episode.ID) async throws {
    if one(in: 3) { return try await appendWithKey(domain, scope, id) }
    let drafts = steps(model.episodes[id]?.domain ?? domain)
    try await both("append to \(id) in \(scope ?? "all")") {
      if let scope {
        try await memory.domain(scope).append(drafts, to: id)
      } else {
        try await memory.append(drafts, to: id)
      }
    } _: { model, found in
      try model.append(drafts, ids: found?.map(\.id) ?? drafts.map { _ in "" }, to: id, scope)
    }
    stepIDs += model.episodes[id]?.steps.suffix(1).map(\.id) ?? []
  }

  /// A new request, one that comes again, or another one with its key.
  private func appendWithKey(_ domain: String, _ scope: String?, _ wanted: Episode.ID) async throws {
    count += 1
    var (id, key) = (wanted, "\(domain)key\(count)")
    var drafts = steps(model.episodes[id]?.domain ?? domain)
    // Its texts are of its domain, in which an episode of its id may be no more.
    let requests = model.requests.filter { request in
      model.episodes[request.episode].map { $0.domain == request.domain } ?? true
    }
    if one(in: 2), let earlier = pick(requests) {
      key = earlier.key
      if !one(in: 4) { (id, drafts) = (earlier.episode, earlier.drafts) }
    }
    let before = model.episodes[id]?.steps.count
    try await both("append to \(id) with \(key) in \(scope ?? "all")") {
      if let scope {
        try await memory.domain(scope).append(drafts, to: id, idempotencyKey: key)
      } else {
        try await memory.append(drafts, to: id, idempotencyKey: key)
      }
    } _: { model, found in
      try model.append(drafts, ids: found?.map(\.id) ?? drafts.map { _ in "" }, to: id, key: key, scope)
    }
    if model.episodes[id]?.steps.count != before { stepIDs += model.episodes[id]?.steps.suffix(1).map(\.id) ?? [] }
  }

  private func move(_ scope: String?, _ id: Episode.ID) async throws {
    let status = pick([.completed, .completed, .failed, .archived, .active]) ?? Episode.Status.completed
    try await both("\(status) \(id) in \(scope ?? "all")") {
      let handle = scope.map(memory.domain)
      switch status {
      case .completed: _ = if let handle { try await handle.complete(id) } else { try await memory.complete(id) }
      case .failed: _ = if let handle { try await handle.fail(id) } else { try await memory.fail(id) }
      case .archived: _ = if let handle { try await handle.archive(id) } else { try await memory.archive(id) }
      case .active: _ = if let handle { try await handle.reopen(id) } else { try await memory.reopen(id) }
      }
    } _: { model, _ in
      try model.move(id, to: status, scope)
    }
  }

  private func update(_ domain: String, _ scope: String?, _ id: Episode.ID) async throws {
    let own = model.episodes[id]?.domain ?? domain
    let (context, session) = (text(own), one(in: 2) ? nil : "\(own)session1")
    let change = Episode.Change(context: context, session: .some(session))
    try await both("update \(id)") {
      if let scope {
        try await memory.domain(scope).update(id, with: change)
      } else {
        try await memory.update(id, with: change)
      }
    } _: { model, _ in
      try model.update(id, context: context, session: session, scope)
    }
  }

  private func insert(_ domain: String, _ scope: String?, _ wanted: Episode.ID) async throws {
    count += 1
    let id = one(in: 3) || wanted == "nowhere" ? Episode.ID("\(domain)-\(count)") : wanted
    let own = scope ?? (one(in: 4) ? domain : model.episodes[id]?.domain ?? domain)
    let now = clock.now()
    let policy = pick([.replace, .replace, .skip, .fail]) ?? Episode.ExistingPolicy.replace
    let inserted = steps(own).enumerated().map { index, draft in
      Step(
        id: Step.ID("step-\(count)-\(index)"), number: index + 1, action: draft.action, result: draft.result,
        tool: draft.tool, success: draft.success, timestamp: now, provenance: draft.provenance)
    }
    let episode = Episode(
      id: id, taskType: .debugging, domain: own, session: "\(own)session0", context: text(own), status: .completed,
      successRate: 1, createdAt: now, completedAt: now, provenance: provenance(own),
      parents: one(in: 2) ? [anyID].filter { $0 != id && $0 != "nowhere" } : [], steps: inserted)
    try await both("insert \(id), \(policy), in \(scope ?? "all")") {
      if let scope {
        try await memory.domain(scope).insert([episode], existing: policy)
      } else {
        try await memory.insert([episode], existing: policy)
      }
    } _: { model, _ in
      try model.insert(episode, stepIDs: inserted.map(\.id), policy, scope)
    }
    if !ids.contains(id) { ids.append(id) }
  }

  private func pattern(_ domain: String, _ scope: String?, _ id: Episode.ID) async throws {
    let pattern = pick(patternIDs.suffix(6)) ?? "none"
    switch Int.random(in: 0..<6, using: &random) {
    case 0...1:
      let owner = scope ?? (one(in: 2) ? domain : nil)
      // A shared pattern has no word of a domain.
      let word = "\(owner ?? "shared")pattern\(Int.random(in: 0..<4, using: &random))"
      let draft = Pattern.Draft(.toolSequence, data: .object(["use": .string(word)]), domain: owner)
      let found = try await memory.record(draft)
      if let known = model.pattern(word, owner) { expect(known == found.id, "\(word) is another pattern") }
      model.record(word, domain: owner, id: found.id)
      if !patternIDs.contains(found.id) { patternIDs.append(found.id) }
    case 2...3:
      try await both("link \(pattern) to \(id) in \(scope ?? "all")") {
        if let scope {
          try await memory.domain(scope).link(pattern, to: id)
        } else {
          try await memory.link(pattern, to: id)
        }
      } _: { model, found in
        let linked = try model.link(pattern, to: id, scope)
        if let found, linked != found { throw MemoryModel.Refusal(.corrupted) }
      }
    case 4:
      try await both("unlink") {
        if let scope {
          try await memory.domain(scope).unlink(pattern, from: id)
        } else {
          try await memory.unlink(pattern, from: id)
        }
      } _: { model, found in
        if model.unlink(pattern, from: id, scope) != found { throw MemoryModel.Refusal(.corrupted) }
      }
    default:
      if one(in: 3) {
        try await both("delete pattern in \(scope ?? "all")") {
          if let scope {
            try await memory.domain(scope).delete(pattern: pattern)
          } else {
            try await memory.delete(pattern: pattern)
          }
        } _: { model, found in
          let deleted = try model.delete(pattern: pattern, scope)
          if let found, deleted != found { throw MemoryModel.Refusal(.corrupted) }
        }
      } else {
        try await both("markUsed in \(scope ?? "all")") {
          if let scope { try await memory.domain(scope).markUsed(pattern) } else { try await memory.markUsed(pattern) }
        } _: { model, _ in
          try model.markUsed(pattern, scope)
        }
      }
    }
  }

  private func vector(_ domain: String, _ scope: String?, _ id: Episode.ID) async throws {
    if one(in: 4), let vector = pick(vectorIDs) {
      try await both("delete vector") {
        if let scope {
          try await memory.domain(scope).delete(embedding: vector)
        } else {
          try await memory.delete(embedding: vector)
        }
      } _: { model, found in
        if model.delete(vector: vector, scope) != found { throw MemoryModel.Refusal(.corrupted) }
      }
      return
    }
    count += 1
    let draft = Embedding.Draft(
      of: id, content: "\(model.episodes[id]?.domain ?? domain)task\(count)", vector: [Float(count), 1, 2],
      model: "model\(count)")
    try await both("embed \(id)") {
      if let scope { try await memory.domain(scope).embed(draft) } else { try await memory.embed(draft) }
    } _: { model, found in
      try model.embed(found?.id ?? "none", draft, scope)
    }
    vectorIDs = Array(model.vectors.keys).sorted { $0.rawValue < $1.rawValue }
  }

  private func decide(_ domain: String, _ scope: String?, _ id: Episode.ID) async throws {
    let subject: TrustSubject =
      switch Int.random(in: 0..<8, using: &random) {
      case 0...3: .episode(id)
      case 4: .step(pick(stepIDs.suffix(8)) ?? "none")
      case 5: .pattern(pick(patternIDs.suffix(6)) ?? "none")
      case 6: .source(pick(Provenance.Source.allCases)?.rawValue ?? "web")
      default: .source("\(domain)source\(Int.random(in: 0..<3, using: &random))")
      }
    let trust = pick(Trust.allCases) ?? .trusted
    let raises = one(in: 3)
    try await both("\(raises ? "promote" : "trust") \(subject) as \(trust) in \(scope ?? "all")") {
      if let scope {
        let handle = memory.domain(scope)
        if raises {
          try await handle.promote(subject, to: trust, by: "judge")
        } else {
          try await handle.trust(subject, as: trust, by: "judge")
        }
      } else if raises {
        try await memory.promote(subject, to: trust, by: "judge")
      } else {
        try await memory.trust(subject, as: trust, by: "judge")
      }
    } _: { model, _ in
      try model.decide(subject, trust, raises: raises, scope)
    }
  }

  private func forget(_ domain: String, _ scope: String?) async throws {
    let selection: Erasure.Selection =
      switch Int.random(in: 0..<9, using: &random) {
      case 0...1: .episodes([anyID, anyID])
      case 2...3: .session("\(domain)session\(Int.random(in: 0..<3, using: &random))")
      case 4: .text("\(domain)task\(Int.random(in: 1...max(1, count), using: &random))")
      case 5: .metadata(path: ["number"], .integer(Int64(Int.random(in: 0..<10, using: &random))))
      case 6: .created(clock.now().adding(.seconds(-20))..<clock.now().adding(.seconds(20)))
      case 7: .source(pick(Provenance.Source.allCases)?.rawValue ?? "web")
      default: .source("\(domain)source\(Int.random(in: 0..<3, using: &random))")
      }
    let policy = pick(Erasure.PatternPolicy.allCases) ?? .keep
    let erased = model.forget(selection, policy, scope)
    copy?.erasures.append(ModelErasure(selection: selection, policy: policy, scope: scope, erased: erased))
    do {
      let receipt =
        if let scope { try await memory.domain(scope).forget(selection, patterns: policy) } else {
          try await memory.forget(selection, in: .everything, patterns: policy)
        }
      expect(
        receipt.counts.episodes == erased.episodes.count && receipt.counts.patterns == erased.patterns.count
          && receipt.pending == nil,
        "forget \(selection) in \(scope ?? "all"), \(policy): \(receipt), not \(erased)")
      // Of an id that was deleted before, names in the feed go.
      if erased.episodes.isEmpty, erased.patterns.isEmpty {
        if case .episodes = selection {} else { expect(false, "\(selection) has erased nothing: \(receipt)") }
      }
    } catch {
      expect(error.code == .notFound && erased.episodes.isEmpty, "forget \(selection): \(error), not \(erased)")
      // Without a receipt nothing is erased in a copy.
      if error.code == .notFound { _ = copy?.erasures.popLast() }
    }
  }

  /// Copies the store, or takes the copy back, without what was erased since.
  private func copyOrRestore() async throws {
    guard let copied = copy else {
      let folder = store.directory.file("copies-\(count)")
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      let backup = try await memory.backUp(
        to: folder, options: BackupOptions(compression: one(in: 2) ? .gzip : .none))
      copy = (backup.path, key, model, [])
      return
    }
    if one(in: 2) { return }
    copy = nil
    try await memory.close()
    var options = RestoreOptions()
    (options.clock, options.audit, options.key) = (clock, auditing, .key(copied.key))
    let report = try await Memory.restore(copied.path, to: store.path, options: options)
    expect(report.erasures <= copied.erasures.count, "\(report.erasures) of \(copied.erasures.count) erasures")
    // What the restore replaced would be searched as a copy by later erasures.
    let backups = store.path + "/backups"
    for name in try FileManager.default.contentsOfDirectory(atPath: backups) where name.hasPrefix("replaced-") {
      try FileManager.default.removeItem(atPath: "\(backups)/\(name)")
    }
    (key, model) = (copied.key, copied.model)
    memory = try await open()
    for erasure in copied.erasures {
      // A text cannot be told from its digest.
      let selection = if case .text = erasure.selection { Erasure.Selection.episodes([]) } else { erasure.selection }
      _ = model.forget(selection, erasure.policy, erasure.scope, also: erasure.erased)
    }
    try await compareAll()
  }

  /// The plan is tested in `RetentionTests`; here what it says is done, and nothing else.
  private func retain(_ domain: String, _ scope: String?) async throws {
    let policy = RetentionPolicy(
      archiveAfter: one(in: 2) ? .seconds(3600) : nil, maximumEpisodes: one(in: 2) ? 12 : nil)
    try await memory.setRetention(policy, for: domain, allowingUnknownDomain: true)
    let report =
      if let scope { try await memory.domain(scope).applyRetention(acceptingClock: true) } else {
        try await memory.applyRetention(acceptingClock: true)
      }
    for decision in report.decisions {
      let kept = model.episodes[decision.episode]
      expect(
        kept?.domain == decision.domain && Self.domains.contains(decision.domain)
          && (scope == nil || decision.domain == scope), "\(decision)")
      expect(kept?.status != .active, "\(decision) of an active one")
      switch decision.action {
      case .delete: model.delete(decision.episode, nil)
      case .archive: try? model.move(decision.episode, to: .archived, nil)
      case .abandon: expect(false, "\(decision)")
      }
    }
    try await memory.setRetention(nil, for: domain, allowingUnknownDomain: true)
  }

  /// What derived files and handles may lose, and nothing else.
  private func upkeep() async throws {
    switch Int.random(in: 0..<7, using: &random) {
    case 0: _ = try await memory.rebuild()
    case 1: try await memory.optimize()
    case 2:
      try await memory.close()
      for file in ["cache.lmdb/index", "cache.lmdb"] where one(in: 2) {
        let path = store.path + "/" + file
        if FileManager.default.fileExists(atPath: path) { try FileManager.default.removeItem(atPath: path) }
      }
      memory = try await open()
    case 3: try await memory.maintain()
    case 4: _ = try await memory.learn()
    case 5: try await rotate()
    default:
      for check in try await memory.check(.quick) {
        expect(check.outcome == .passed, "\(check.name): \(check.outcome)")
      }
    }
    try await compareAll()
  }

  private func rotate() async throws {
    guard let encrypted else { return }
    if one(in: 2) {
      try await memory.rotateKey(of: encrypted)
    } else {
      let next = StoreKey.random()
      try await memory.rotateStoreKey(to: next)
      key = next
    }
  }

  /// Another store that imports the export has the same episodes, none of them trusted more than it says of itself.
  private func interchange() async throws {
    guard !model.episodes.isEmpty else { return }
    let file = store.directory.file("export-\(count).jsonl")
    let exported = try await memory.exportEpisodes(to: .file(file))
    let copy = try await Memory.inMemory(clock: clock)
    _ = try await copy.importEpisodes(from: [.file(file)])
    let found = try await copy.episodes(in: .everything, limit: 1000).elements
    expect(found.count == exported && exported >= model.episodes.count, "\(found.count) of \(exported) imported")
    for episode in found where episode.domain != Self.foreign {
      guard let kept = model.episodes[episode.id] else {
        expect(false, "\(episode.id) was imported")
        continue
      }
      expect(fields(of: episode) == fields(of: kept), "\(episode.id): \(fields(of: episode)), not \(fields(of: kept))")
      expect(episode.trust <= kept.ownTrust, "\(episode.id) is \(episode.trust), and says \(kept.ownTrust)")
    }
    try await copy.close()
    try FileManager.default.removeItem(atPath: file)
  }

  /// All of a batch or nothing.
  private func batch(_ domain: String, _ id: Episode.ID) async throws {
    let drafts = steps(domain)
    let fails = one(in: 2)
    try await both("write to \(id) in \(domain)") {
      try await memory.domain(domain).write { batch in
        let steps = try batch.append(drafts, to: id)
        _ = try batch.complete(id)
        if fails { try batch.append(.init("too late"), to: id) }
        return steps
      }
    } _: { model, found in
      var next = model
      try next.append(drafts, ids: found?.map(\.id) ?? drafts.map { _ in "" }, to: id, domain)
      try next.move(id, to: .completed, domain)
      if fails { throw MemoryModel.Refusal(.conflict) }
      model = next
    }
  }

  // MARK: The whole state

  private func fields(of episode: Episode) -> String {
    let steps = episode.steps.map { "\($0.number) \($0.action) \($0.result ?? "-") \(said($0.provenance))" }
    return "\(episode.domain) \(episode.context) \(episode.session ?? "-") \(episode.status) \(episode.createdAt) "
      + "\(said(episode.provenance)) \(episode.parents) \(steps)"
  }

  private func fields(of kept: MemoryModel.Kept) -> String {
    let steps = kept.steps.map { "\($0.number) \($0.action) \($0.result ?? "-") \(said($0.provenance))" }
    return "\(kept.domain) \(kept.context) \(kept.session ?? "-") \(kept.status) \(kept.createdAt) "
      + "\(said(kept.provenance)) \(kept.parents) \(steps)"
  }

  private func said(_ provenance: Provenance) -> String {
    "\(provenance.source?.rawValue ?? "-") \(provenance.sourceID ?? "-") \(provenance.actor ?? "-") "
      + (provenance.trust?.rawValue ?? "-")
  }

  private func compare(_ kept: MemoryModel.Kept) async throws {
    guard let found = try await memory.episode(kept.id) else { return expect(false, "\(kept.id) is gone") }
    expect(fields(of: found) == fields(of: kept), "\(fields(of: found)), not \(fields(of: kept))")
    expect(found.trust == kept.trust, "\(kept.id) is \(found.trust), not \(kept.trust)")
    let decisions = try await memory.trustDecisions(on: kept.id).map { decision in
      var number: Int?
      if case .step(let id) = decision.subject { number = found.steps.first { $0.id == id }?.number ?? -1 }
      return MemoryModel.Decision(trust: decision.trust, before: decision.before, step: number)
    }
    expect(decisions == kept.decisions, "\(kept.id): \(decisions), not \(kept.decisions)")
    let vectors = try await memory.embeddings(of: kept.id)
    expect(
      Set(vectors.map(\.id)) == Set(model.vectors.filter { $0.value.episode == kept.id }.keys),
      "\(kept.id) has other vectors")
  }

  private func compareAudit() async throws {
    guard auditing != .off else { return }
    let found = try await memory.verifyAudit(rows: true)
    expect(found.isPassed, "\(found.findings)")
    var digests: Set<Erasure.Digest?> = []
    for domain in Self.domains {
      let records = try await memory.domain(domain).audit(limit: 10_000)
      let own = Set(records.map(\.domain))
      expect(own.count <= 1 && own.isDisjoint(with: digests), "\(domain) has the records of \(own)")
      digests.formUnion(own)
    }
    expect(!digests.contains(nil), "records of the whole store are told to a domain")
  }

  private func compareAll() async throws {
    try await compareAudit()
    for kept in model.episodes.values.sorted(by: { $0.row < $1.row }) { try await compare(kept) }
    for domain in Self.domains {
      let handle = memory.domain(domain)
      let other = Self.domains.first { $0 != domain } ?? ""
      let own = model.episodes.values.filter { $0.domain == domain }
      let listed = try await handle.episodes(limit: 1000).elements
      expect(Set(listed.map(\.id)) == Set(own.map(\.id)), "\(domain) lists \(listed.map(\.id))")
      // Ids of parents were chosen by the caller, from either domain.
      let told = listed.map { "\($0.context) \($0.session ?? "") \($0.metadata) \($0.provenance) \($0.steps)" }
      expect(!"\(told) \(try await handle.sessions())".contains(other), "\(domain) shows \(other)")
      // What is learned is tested in `LearningStoreTests`.
      let patterns = try await handle.patterns(.init(minimumTrust: .quarantined, limit: 100)).filter {
        LearnedPattern($0) == nil
      }
      let visible = model.patterns.filter { id, pattern in
        pattern.domain == domain
          || pattern.domain == nil && (model.links[id] ?? []).contains { model.episodes[$0]?.domain == domain }
      }
      expect(Set(patterns.map(\.id)) == Set(visible.keys), "\(domain) has the patterns \(patterns.map(\.data))")
      for pattern in patterns {
        expect(
          pattern.trust == visible[pattern.id]?.trust && pattern.usageCount == visible[pattern.id]?.usage,
          "pattern \(pattern), not \(visible[pattern.id] as Any)")
      }
      // Episodes beside those that match in a session would be hits, too.
      var ranking = Query.Ranking()
      (ranking.neighborWeight, ranking.sessionWeight) = (0, 0)
      for word in Self.words {
        let word = "\(domain)\(word)"
        let hits = try await handle.recall(
          Query(text: word, scope: .everything, limit: 200, ranking: ranking, maximumPerSource: 1000))
        // Steps count, too. Near-duplicates of a named source may be left out.
        let matching = own.filter { kept in
          [.completed, .failed].contains(kept.status) && kept.trust > .quarantined
            && ([kept.context] + kept.steps.map(\.action)).contains { $0.split(separator: " ").contains { $0 == word } }
        }
        let (found, expected) = (Set(hits.map(\.episode.id)), Set(matching.map(\.id)))
        expect(
          found.isSubset(of: expected) && found.count + hits.reduce(0) { $0 + $1.copies } == expected.count,
          "\(word) finds \(found.map(\.rawValue).sorted()), not \(expected.map(\.rawValue).sorted())")
        let lowered = hits.map { $0.episode.trust >= .trusted }
        expect(lowered == lowered.sorted { $0 && !$1 }, "\(word): an untrusted hit before a trusted one")
        expect(try await memory.domain(other).recall(word).isEmpty, "\(other) finds \(word)")
      }
    }
  }

  func finish() async throws {
    try await compareAll()
    for check in try await memory.check() { expect(check.outcome == .passed, "\(check.name): \(check.outcome)") }
    try await memory.close()
    if let encrypted {
      let secrets =
        Self.words.map { encrypted + $0 } + ["act ", "task", "result", "hammer", "pattern"].map { encrypted + $0 }
      let files = try ErasedBytes(directory: store.directory).files(under: store.path, with: secrets)
      expect(files.isEmpty, "\(encrypted) is encrypted, and its words are in \(files)")
    }
    memory = try await open()
    try await compareAll()
    try await memory.close()
  }
}
