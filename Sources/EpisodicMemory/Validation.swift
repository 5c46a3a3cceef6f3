import Vectors

extension Memory {
  var validation: Validation { Validation(limits: limits) }
}

/// Checks input before anything is written. Every message names field, value and remedy.
package struct Validation {
  /// Also a rule of the tables.
  private static let maximumIDBytes = 128
  /// Of a source or an actor.
  private static let maximumNameBytes = 1024
  /// Episodes that one is derived from.
  private static let maximumParents = 1000

  let limits: Memory.Limits

  package init(limits: Memory.Limits = Memory.Limits()) { self.limits = limits }

  // MARK: Fields

  func text(_ value: String, _ field: @autoclosure () -> String) throws(MemoryError) {
    try text(value, field(), most: limits.fieldBytes, "fieldBytes")
  }

  /// Of a question.
  func query(_ value: String, _ field: @autoclosure () -> String) throws(MemoryError) {
    try text(value, field(), most: limits.queryBytes, "queryBytes")
  }

  /// - Parameter limit: The name of the limit.
  private func text(
    _ value: String, _ field: @autoclosure () -> String, most: Int, _ limit: String
  ) throws(MemoryError) {
    if let at = value.utf8.firstIndex(of: 0) {
      let offset = value.utf8.distance(from: value.startIndex, to: at)
      throw MemoryError(.invalid, "\(field()) has a NUL character at byte \(offset); remove it")
    }
    guard value.utf8.count <= most else {
      throw MemoryError(
        .limitExceeded, "\(field()) has \(value.utf8.count) bytes; shorten it to \(most) or raise limits.\(limit)")
    }
  }

  /// - Parameter what: Of what there are so many in one call, as a plural.
  func batch(_ count: Int, _ what: String) throws(MemoryError) {
    guard count > limits.batchElements else { return }
    throw MemoryError(
      .limitExceeded,
      "\(count) \(what) are given; write at most \(limits.batchElements) in one call or raise limits.batchElements")
  }

  /// The domain of episodes that are being deleted.
  package static let reservedDomain = "\u{1}deleted"

  package func name(_ value: String, _ field: @autoclosure () -> String) throws(MemoryError) {
    guard !value.isEmpty else { throw MemoryError(.invalid, "\(field()) is empty; give it a name") }
    guard value != Self.reservedDomain else {
      throw MemoryError(.invalid, "\(field()) is a name that the store keeps for itself; choose another")
    }
    try text(value, field())
  }

  func identifier(_ value: String, _ field: @autoclosure () -> String) throws(MemoryError) {
    let count = value.utf8.count
    guard (1...Self.maximumIDBytes).contains(count) else {
      throw MemoryError(
        .invalid, "\(field()) \"\(value.prefix(40))\" has \(count) bytes; it has 1 to \(Self.maximumIDBytes)")
    }
    try text(value, field())
  }

  func rate(_ value: Double?, _ field: @autoclosure () -> String = "success_rate") throws(MemoryError) {
    guard let value, !(0...1).contains(value) else { return }
    throw MemoryError(.invalid, "\(field()) is \(value); it lies in 0...1")
  }

  func time(_ value: Timestamp?, _ field: @autoclosure () -> String) throws(MemoryError) {
    guard let value, !Timestamp.accepted.contains(value) else { return }
    throw MemoryError(.invalid, "\(field()) is \(value.milliseconds) ms after 1970; years 1 to 9999 can be kept")
  }

  func json(_ value: JSON, _ field: @autoclosure () -> String) throws(MemoryError) {
    try json(value, field(), most: limits.fieldBytes, "fieldBytes")
  }

  /// The data of a pattern.
  func patternData(_ value: JSON) throws(MemoryError) {
    try json(value, "pattern_data", most: limits.patternBytes, "patternBytes")
  }

  private func json(
    _ value: JSON, _ field: @autoclosure () -> String, most: Int, _ limit: String
  ) throws(MemoryError) {
    var path = FieldPath()
    path.append(field())
    var members = 0
    try sound(value, &path, &members)
    try text(value.canonicalText, field(), most: most, limit)
  }

  func object(_ value: JSON, _ field: @autoclosure () -> String) throws(MemoryError) {
    guard value.members != nil else {
      throw MemoryError(.invalid, "\(field()) is no JSON object; wrap it as {\"value\": …}")
    }
    try json(value, field())
  }

  func vector(_ values: [Float], _ field: @autoclosure () -> String) throws(MemoryError) {
    guard (1...limits.dimensions).contains(values.count) else {
      throw MemoryError(
        values.isEmpty ? .invalid : .limitExceeded,
        "\(field()) has \(values.count) numbers; it has 1 to \(limits.dimensions), which is limits.dimensions")
    }
    do throws(VectorError) {
      _ = try Vector(values)
    } catch {
      throw MemoryError(.invalid, "\(field()): \(error)", cause: error)
    }
  }

  // MARK: Values

  package func draft(_ draft: Episode.Draft) throws(MemoryError) {
    if let id = draft.id { try identifier(id.rawValue, "id") }
    try name(draft.taskType.rawValue, "task_type")
    try name(draft.domain, "domain")
    if let session = draft.session { try name(session, "session") }
    try text(draft.context, "context")
    try object(draft.metadata, "metadata")
    try provenance(draft.provenance, "")
    try parents(draft.parents)
  }

  /// - Parameter owner: Before the names of fields, as `steps[0].`.
  func provenance(_ provenance: Provenance, _ owner: @autoclosure () -> String) throws(MemoryError) {
    if let id = provenance.sourceID { try shortName(id, "\(owner())source_id") }
    if let actor = provenance.actor { try shortName(actor, "\(owner())actor") }
  }

  /// A name of 1 to 1,024 bytes.
  func shortName(_ value: String, _ field: @autoclosure () -> String) throws(MemoryError) {
    guard (1...Self.maximumNameBytes).contains(value.utf8.count) else {
      throw MemoryError(
        .invalid,
        "\(field()) \"\(value.prefix(40))\" has \(value.utf8.count) bytes; it has 1 to \(Self.maximumNameBytes)")
    }
    try text(value, field())
  }

  func parents(_ ids: [Episode.ID]) throws(MemoryError) {
    guard ids.count <= Self.maximumParents else {
      throw MemoryError(
        .limitExceeded, "derived_from has \(ids.count) ids; it has at most \(Self.maximumParents)")
    }
    for (index, id) in ids.enumerated() { try identifier(id.rawValue, "derived_from[\(index)]") }
  }

  /// - Returns: The drafts, with what is too long cut if they allow it.
  func steps(_ drafts: [Step.Draft]) throws(MemoryError) -> [Step.Draft] {
    try batch(drafts.count, "steps")
    var drafts = drafts
    var numbers: Set<Int> = []
    for index in drafts.indices {
      if drafts[index].overlong == .cut { cut(&drafts[index]) }
      let draft = drafts[index]
      var field: String { "steps[\(index)]" }
      try text(draft.action, "\(field).action")
      if let result = draft.result { try text(result, "\(field).result") }
      if let tool = draft.tool { try text(tool, "\(field).tool") }
      try provenance(draft.provenance, "\(field).")
      try duration(draft.duration, "\(field).duration_ms")
      try time(draft.timestamp, "\(field).timestamp")
      if let number = draft.number { try stepNumber(number, field, &numbers) }
    }
    return drafts
  }

  private func cut(_ draft: inout Step.Draft) {
    var lengths = Step.CutLengths()
    if draft.action.utf8.count > limits.fieldBytes {
      lengths.action = draft.action.utf8.count
      draft.action = draft.action.cut(toBytes: limits.fieldBytes)
    }
    if let result = draft.result, result.utf8.count > limits.fieldBytes {
      lengths.result = result.utf8.count
      draft.result = result.cut(toBytes: limits.fieldBytes)
    }
    draft.cutLengths = lengths == Step.CutLengths() ? nil : lengths
  }

  /// - Returns: `nil` without a key.
  func request(_ draft: Episode.Draft, _ key: String?) throws(MemoryError) -> IdempotentRequest? {
    guard let key = key?.canonicallyComposed else { return nil }
    try identifier(key, "idempotency key")
    return IdempotentRequest(key, begin: draft)
  }

  /// - Returns: `nil` without a key.
  func request(_ drafts: [Step.Draft], to id: Episode.ID, _ key: String?) throws(MemoryError) -> IdempotentRequest? {
    guard let key = key?.canonicallyComposed else { return nil }
    try identifier(key, "idempotency key")
    return IdempotentRequest(key, append: drafts, to: id)
  }

  package func episode(_ episode: Episode) throws(MemoryError) {
    try identifier(episode.id.rawValue, "id")
    try name(episode.taskType.rawValue, "task_type")
    try name(episode.domain, "domain")
    if let session = episode.session { try name(session, "session") }
    try text(episode.context, "context")
    try rate(episode.successRate)
    try time(episode.createdAt, "created_at")
    try time(episode.completedAt, "completed_at")
    if let completed = episode.completedAt, completed < episode.createdAt {
      throw MemoryError(
        .invalid, "completed_at \(completed) is before created_at \(episode.createdAt); correct one of them")
    }
    try object(episode.metadata, "metadata")
    try provenance(episode.provenance, "")
    try parents(episode.parents)
    guard episode.omittedSteps == 0 else {
      throw MemoryError(
        .invalid,
        "episode \"\(episode.id)\" was read without \(episode.omittedSteps) of its \(episode.stepCount) steps, which would "
          + "be lost; read it with all of them")
    }
    guard episode.steps.count <= limits.stepsPerEpisode else {
      throw MemoryError(
        .limitExceeded,
        "episode \"\(episode.id)\" has \(episode.steps.count) steps; give it at most \(limits.stepsPerEpisode) or raise "
          + "limits.stepsPerEpisode")
    }
    var numbers: Set<Int> = []
    for (index, step) in episode.steps.enumerated() {
      var field: String { "steps[\(index)]" }
      try identifier(step.id.rawValue, "\(field).id")
      try stepNumber(step.number, field, &numbers)
      try text(step.action, "\(field).action")
      if let result = step.result { try text(result, "\(field).result") }
      if let tool = step.tool { try text(tool, "\(field).tool") }
      try duration(step.duration, "\(field).duration_ms")
      try time(step.timestamp, "\(field).timestamp")
      try provenance(step.provenance, "\(field).")
    }
  }

  /// - Parameter scope: Of the writer: one of a domain inserts episodes of that domain.
  func insertion(
    of episodes: [Episode], embeddings: [Embedding.Draft], in scope: Query.Scope
  ) throws(MemoryError) {
    try batch(episodes.count, "episodes")
    try batch(embeddings.count, "vectors")
    for episode in episodes {
      try self.episode(episode)
      guard scope.includes(episode.domain) else {
        throw MemoryError(
          .invalid,
          "episode \"\(episode.id)\" is of the domain \"\(episode.domain)\"; insert it through a handle of that domain")
      }
    }
    for embedding in embeddings { try draft(embedding) }
    try belonging(embeddings, to: episodes)
  }

  func transition(_ transition: Episode.Transition) throws(MemoryError) {
    switch transition {
    case .complete(let rate), .fail(let rate): try self.rate(rate)
    case .archive, .reopen: break
    }
  }

  func change(_ change: Episode.Change) throws(MemoryError) {
    if let taskType = change.taskType { try name(taskType.rawValue, "task_type") }
    if let context = change.context { try text(context, "context") }
    if case .some(.some(let session)) = change.session { try name(session, "session") }
    try rate(change.successRate)
    if let metadata = change.metadata { try object(metadata, "metadata") }
  }

  func draft(_ draft: Pattern.Draft) throws(MemoryError) {
    try patternType(draft.type)
    if let domain = draft.domain { try name(domain, "domain") }
    try patternData(draft.data)
    try rate(draft.successRate)
    try object(draft.metadata, "metadata")
  }

  /// A type must not contain what separates it from a hash in the key of a pattern.
  func patternType(_ type: PatternType) throws(MemoryError) {
    try name(type.rawValue, "pattern_type")
    guard type.rawValue.firstMatch(of: /:[0-9A-Fa-f]{64}/) == nil else {
      throw MemoryError(.invalid, "pattern_type holds a colon and 64 hexadecimal digits; choose another name")
    }
  }

  func draft(_ draft: Embedding.Draft) throws(MemoryError) {
    try text(draft.content, "content")
    try name(draft.model, "model_name")
    try vector(draft.vector, "embedding")
  }

  func drafts(_ drafts: [Embedding.Draft]) throws(MemoryError) {
    try batch(drafts.count, "vectors")
    for draft in drafts { try self.draft(draft) }
  }

  func limit(_ value: Int, most: Int) throws(MemoryError) {
    guard (1...most).contains(value) else {
      throw MemoryError(value < 1 ? .invalid : .limitExceeded, "limit is \(value); it lies in 1...\(most)")
    }
  }

  func selection(_ selection: StepSelection) throws(MemoryError) {
    guard let limit = selection.limit, limit < 0 else { return }
    throw MemoryError(.invalid, "the last \(limit) steps are asked for; the number is 0 or more")
  }

  func filter(_ filter: Episode.Filter) throws(MemoryError) {
    guard let step = filter.step else { return }
    if let tool = step.tool { try text(tool, "step.tool") }
    if let text = step.text { try query(text, "step.text") }
    if let phrase = step.phrase { try query(phrase, "step.phrase") }
    _ = try step.terms()
  }

  func ranking(_ ranking: Query.Ranking) throws(MemoryError) {
    for (name, weight) in [
      ("stepWeight", ranking.stepWeight), ("stepsTogetherWeight", ranking.stepsTogetherWeight),
      ("neighborWeight", ranking.neighborWeight), ("sessionWeight", ranking.sessionWeight),
      ("timeWeight", ranking.timeWeight), ("successWeight", ranking.successWeight),
    ] where !(0...1000).contains(weight) {
      throw MemoryError(.invalid, "\(name) is \(weight); it lies in 0...1,000")
    }
    try rate(ranking.vectorWeight, "vectorWeight")
    guard (0...10).contains(ranking.neighborReach) else {
      throw MemoryError(.invalid, "neighborReach is \(ranking.neighborReach); it lies in 0...10")
    }
    for (name, value) in [("stepsPerEpisode", ranking.stepsPerEpisode), ("depth", ranking.depth)] {
      guard (0...10_000).contains(value) else {
        throw MemoryError(
          value < 0 ? .invalid : .limitExceeded, "\(name) is \(value); it lies in 0...10,000")
      }
    }
  }

  /// Requires that every vector belongs to one of the episodes, and to a step of the same episode (I8).
  func belonging(_ embeddings: [Embedding.Draft], to episodes: [Episode]) throws(MemoryError) {
    guard !embeddings.isEmpty else { return }
    let steps = Dictionary(episodes.map { ($0.id, $0.steps) }) { first, _ in first }
    for embedding in embeddings {
      guard let own = steps[embedding.episodeID] else {
        throw MemoryError(
          .invalid, "a vector is of \"\(embedding.episodeID)\", which is not inserted with it; use embed")
      }
      if let step = embedding.stepID, !own.contains(where: { $0.id == step }) {
        throw MemoryError(.invalid, "episode \"\(embedding.episodeID)\" has no step \"\(step)\" to embed")
      }
    }
  }

  // MARK: Details

  private func stepNumber(
    _ number: Int, _ field: @autoclosure () -> String, _ seen: inout Set<Int>
  ) throws(MemoryError) {
    guard number > 0 else {
      throw MemoryError(.invalid, "\(field()).step_number is \(number); steps are counted from 1")
    }
    guard seen.insert(number).inserted else {
      throw MemoryError(.invalid, "\(field()).step_number \(number) occurs twice; number each step once")
    }
  }

  private func duration(_ value: Duration?, _ field: @autoclosure () -> String) throws(MemoryError) {
    guard let value, value < .zero else { return }
    throw MemoryError(.invalid, "\(field()) is \(value.milliseconds); a duration is not negative")
  }

  /// - Parameter members: Those of the objects before, over all levels.
  private func sound(_ value: JSON, _ path: inout FieldPath, _ members: inout Int) throws(MemoryError) {
    // The path has one more part than the nesting depth.
    guard path.depth <= limits.metadataDepth else {
      throw MemoryError(
        .limitExceeded,
        "\(path) is nested more than \(limits.metadataDepth) deep; flatten it or raise limits.metadataDepth")
    }
    switch value {
    case .number(let number) where !number.isFinite:
      throw MemoryError(.invalid, "\(path) has the number \(number), which JSON does not; use null or a string")
    case .string(let string): try text(string, "\(path)")
    case .array(let elements):
      for (index, element) in elements.enumerated() {
        path.append(index)
        try sound(element, &path, &members)
        path.removeLast()
      }
    case .object(let object):
      members += object.count
      guard members <= limits.metadataMembers else {
        throw MemoryError(
          .limitExceeded,
          "\(path) has more than \(limits.metadataMembers) members; leave some out or raise limits.metadataMembers")
      }
      for (name, member) in object {
        try text(name, "a name in \(path)")
        path.append(name)
        try sound(member, &path, &members)
        path.removeLast()
      }
    default: break
    }
  }
}
