import EpisodicMemory
import GRDB

/// What outlives an episode that is replaced under its id: links to patterns, and vectors whose text did not change.
///
/// Making a vector takes a model, which costs more than all the rest of an import; a link is to the id.
struct ReplacedEpisode {
  private let embeddings: [Embedding]
  /// Empty where there is no vector that it could matter to.
  private let context: String
  private let steps: [Step]
  private let patterns: [String]

  /// Reads what is about to be replaced.
  init(_ id: Episode.ID, _ db: Database) throws {
    let vectors = try db.cachedStatement(
      sql: "SELECT \(EmbeddingRow.columns) FROM embeddings m WHERE m.episode_id = ? ORDER BY m.seq")
    embeddings = try Row.fetchAll(vectors, arguments: [id.rawValue]).map(EmbeddingRow.decode)
    let links = try db.cachedStatement(sql: "SELECT pattern_id FROM episode_patterns WHERE episode_id = ?")
    patterns = try String.fetchAll(links, arguments: [id.rawValue])
    if embeddings.isEmpty {
      (context, steps) = ("", [])
    } else {
      let text = try db.cachedStatement(sql: "SELECT context FROM episodes WHERE id = ?")
      context = try String.fetchOne(text, arguments: [id.rawValue]) ?? ""
      steps = try StepRow.fetchAll(db, of: id)
    }
  }

  /// The vectors that the new episode keeps, and how many go because their text does.
  ///
  /// - Parameter given: The vectors that come with it; of their models no older ones are kept, nor counted as lost.
  func vectors(keptBy episode: Episode, beside given: [Embedding]) -> (kept: [Embedding], dropped: Int) {
    guard !embeddings.isEmpty else { return ([], 0) }
    let comparison = TextComparison(old: (context, steps), new: episode)
    let renewed = Set(given.filter { $0.stepID == nil }.map(\.model))
    var kept: [Embedding] = []
    var dropped = 0
    for embedding in embeddings where embedding.stepID != nil || !renewed.contains(embedding.model) {
      if let successor = comparison.successor(of: embedding) { kept.append(successor) } else { dropped += 1 }
    }
    return (kept, dropped)
  }

  func insertLinks(of id: Episode.ID, _ db: Database) throws {
    for pattern in patterns {
      try db.cachedStatement(sql: "INSERT INTO episode_patterns (episode_id, pattern_id) VALUES (?, ?)")
        .execute(arguments: [id.rawValue, pattern])
    }
  }
}

/// Which texts of an episode are byte for byte what they were.
private struct TextComparison {
  private let context: String
  private let contextIsKept: Bool
  private let everythingIsKept: Bool
  private let oldSteps: [Step.ID: Step]
  private let newSteps: [Int: Step]

  init(old: (context: String, steps: [Step]), new: Episode) {
    context = old.context
    oldSteps = Dictionary(old.steps.map { ($0.id, $0) }) { first, _ in first }
    newSteps = Dictionary(new.steps.map { ($0.number, $0) }) { first, _ in first }
    contextIsKept = old.context.hasSameBytes(as: new.context)
    let byNumber = newSteps
    everythingIsKept =
      contextIsKept && old.steps.count == new.steps.count
      && old.steps.allSatisfy { step in byNumber[step.number].map { step.hasSameTexts(as: $0) } ?? false }
  }

  /// The vector as it belongs to the new episode; `nil` if the text it was made from changed.
  ///
  /// Content that is neither the context nor a text of the step was put together by the caller, from which of the
  /// episode's texts nobody knows: then all of them have to be the same.
  func successor(of embedding: Embedding) -> Embedding? {
    guard let id = embedding.stepID else {
      let isOfContext = embedding.content.hasSameBytes(as: context)
      return (isOfContext ? contextIsKept : everythingIsKept) ? embedding : nil
    }
    guard let old = oldSteps[id], let new = newSteps[old.number], old.hasSameTexts(as: new) else { return nil }
    let isOfStep = [old.action, old.result, old.tool].contains { $0?.hasSameBytes(as: embedding.content) ?? false }
    guard isOfStep || everythingIsKept else { return nil }
    return Embedding(
      id: embedding.id, episodeID: embedding.episodeID, stepID: new.id, content: embedding.content,
      vector: embedding.vector, model: embedding.model, createdAt: embedding.createdAt)
  }
}

extension Step {
  fileprivate func hasSameTexts(as other: Step) -> Bool {
    func same(_ a: String?, _ b: String?) -> Bool {
      guard let a, let b else { return a == nil && b == nil }
      return a.hasSameBytes(as: b)
    }
    return same(action, other.action) && same(result, other.result) && same(tool, other.tool)
  }
}
