/// An episode as one JSON object on a line, the form of import and export.
///
/// Required: `id`, `task_type`, `domain`, `context`, `status`, `created_at`, `steps`, and of each step `action` and
/// `timestamp`. Everything else may be null or left out. Any other member is rejected, since dropping it would lose data
/// without notice. Identifiers of steps and counts of vectors belong to a store and are not part of the form.
package struct EpisodeLine {
  private static let objectWanted = "one episode as one JSON object"
  private static let nameWanted = "a string with at least one character"
  private static let statusWanted = "one of \(Episode.Status.allCases.map(\.rawValue).joined(separator: ", "))"

  let id: String
  let taskType: String
  let domain: String
  let session: String?
  let context: String
  let status: Episode.Status
  let successRate: Double?
  let createdAt: Timestamp
  let completedAt: Timestamp?
  package let metadata: JSON
  package let provenance: Provenance
  let parents: [String]
  package let steps: [StepLine]
  /// Of an episode that was read in part: the number of all its steps.
  let stepCount: Int64?
  /// Characters replaced by U+FFFD.
  package let repairs: Int

  /// - Throws: `.invalid`, naming field, value and remedy. `episode(limits:now:)` checks ranges.
  package init(_ line: [UInt8], repair: JSONScanner.Repair = .none) throws(MemoryError) {
    var scanner = try JSONScanner(line, repair: repair)
    try self.init(&scanner)
    try scanner.end()
  }

  /// Reads the episode at the scanner's position.
  ///
  /// - Parameter isPart: Whether it may have been read without some of its steps.
  init(_ scanner: inout JSONScanner, isPart: Bool = false) throws(MemoryError) {
    var stepCount: Int64?
    var id: String?, taskType: String?, domain: String?, session: String?, context: String?
    var status: Episode.Status?
    var successRate: Double?
    var createdAt: Timestamp?, completedAt: Timestamp?
    var metadata: JSON = [:]
    var provenance = Provenance()
    var parents: [String] = []
    var steps: [StepLine]?
    try scanner.object(Self.objectWanted) { scanner, name throws(MemoryError) in
      switch name {
      case "id": id = try scanner.text("a string of 1 to 128 bytes")
      case "task_type": taskType = try scanner.text(Self.nameWanted)
      case "domain": domain = try scanner.text(Self.nameWanted)
      case "session": session = try scanner.null() ? nil : try scanner.text(Self.nameWanted)
      case "context": context = try scanner.text("a string")
      case "status": status = try scanner.name(Self.statusWanted)
      case "success_rate": successRate = try scanner.null() ? nil : try scanner.double("a number in 0...1, or null")
      case "created_at": createdAt = try scanner.time()
      case "completed_at": completedAt = try scanner.null() ? nil : try scanner.time()
      case "metadata": metadata = try scanner.null() ? [:] : try scanner.value()
      case "source", "source_id", "actor", "trust": try provenance.read(name, &scanner)
      // What recall goes by is worked out again.
      case "effective_trust": _ = try scanner.text(Provenance.trustWanted)
      case "derived_from":
        try scanner.array("an array of ids") { scanner, _ throws(MemoryError) in
          parents.append(try scanner.text("a string of 1 to 128 bytes"))
        }
      case "steps":
        var lines: [StepLine] = []
        try scanner.array("an array of objects") { scanner, _ throws(MemoryError) in
          lines.append(try StepLine(&scanner))
        }
        steps = lines
      case "step_count" where isPart: stepCount = try scanner.integer("the number of all steps")
      case "step_count": throw scanner.fault("says that steps were left out, which would be lost; read all of them")
      default: throw scanner.fault("is no member of an episode; put it under metadata")
      }
    }
    guard let id else { throw scanner.missing("id", "a string of 1 to 128 bytes") }
    guard let taskType else { throw scanner.missing("task_type", Self.nameWanted) }
    guard let domain else { throw scanner.missing("domain", Self.nameWanted) }
    guard let context else { throw scanner.missing("context", "a string") }
    guard let status else { throw scanner.missing("status", Self.statusWanted) }
    guard let createdAt else { throw scanner.missing("created_at", JSONScanner.timeWanted) }
    guard let steps else { throw scanner.missing("steps", "an array of objects, [] where there is none") }
    self.id = id
    self.taskType = taskType
    self.domain = domain
    self.session = session
    self.context = context
    self.status = status
    self.successRate = successRate
    self.createdAt = createdAt
    self.completedAt = completedAt
    self.metadata = metadata
    self.provenance = provenance
    self.parents = parents
    self.steps = steps
    self.stepCount = stepCount
    repairs = scanner.repairs
  }

  /// The episode, its steps ordered by number and with new identifiers.
  ///
  /// - Throws: `.invalid` if a value is out of its range.
  package func episode(limits: Memory.Limits, now: Timestamp) throws(MemoryError) -> Episode {
    var highest = 0
    var numbered: [Step] = []
    numbered.reserveCapacity(steps.count)
    for (index, line) in steps.enumerated() {
      let number: Int
      if let given = line.number {
        guard let fitting = Int(exactly: given) else {
          throw MemoryError(.invalid, "steps[\(index)].step_number is \(given); write a smaller one")
        }
        number = fitting
      } else {
        guard highest < Int.max else {
          throw MemoryError(
            .invalid, "steps[\(index)].step_number is missing after \(highest); number the steps from 1")
        }
        number = highest + 1
      }
      highest = max(highest, number)
      numbered.append(line.step(number: number, now: now))
    }
    var episode = Episode(
      id: Episode.ID(id), taskType: TaskType(taskType), domain: domain, session: session, context: context,
      status: status, successRate: successRate, createdAt: createdAt, completedAt: completedAt, metadata: metadata,
      provenance: provenance, parents: parents.map { Episode.ID($0) }, steps: numbered)
    // Before sorting, so that a message counts steps as the file does.
    try Validation(limits: limits).episode(episode)
    episode.steps.sort { $0.number < $1.number }
    return episode
  }
}

extension Episode {
  /// The episode as one JSON object, the form of import and export; its `outputText` is the line.
  ///
  /// Members that are `nil` are left out. Not included is what belongs to a store: identifiers of steps and
  /// `embeddingVersion`. An episode read in part also has `step_count`, the number of all its steps; an import refuses it,
  /// since the others would be lost.
  public var json: JSON {
    var members: JSON.Object = [
      "id": .string(id.rawValue), "task_type": .string(taskType.rawValue), "domain": .string(domain),
      "context": .string(context), "status": .string(status.rawValue), "created_at": .string(createdAt.description),
      "metadata": metadata, "steps": .array(steps.map(\.json)),
    ]
    members["session"] = session.map(JSON.string)
    members["success_rate"] = successRate.map { JSON($0) }
    members["completed_at"] = completedAt.map { .string($0.description) }
    provenance.write(to: &members)
    if !parents.isEmpty { members["derived_from"] = .array(parents.map { .string($0.rawValue) }) }
    if trust != (provenance.level ?? .trusted) { members["effective_trust"] = .string(trust.rawValue) }
    if omittedSteps > 0 { members["step_count"] = .integer(Int64(stepCount)) }
    return .object(members)
  }
}

/// A step in the line of its episode.
package struct StepLine {
  private static let numberWanted = "a whole number, counted from 1"
  private static let durationWanted = "whole milliseconds, or null"

  /// `nil`: one more than the highest before it.
  let number: Int64?
  package let action: String
  let result: String?
  let tool: String?
  let milliseconds: Int64?
  let success: Bool?
  let timestamp: Timestamp
  let provenance: Provenance

  /// Reads the step at the scanner's position.
  init(_ scanner: inout JSONScanner) throws(MemoryError) {
    var number: Int64?, milliseconds: Int64?
    var action: String?, result: String?, tool: String?
    var success: Bool?
    var timestamp: Timestamp?
    var provenance = Provenance()
    try scanner.object("an object with action and timestamp") { scanner, name throws(MemoryError) in
      switch name {
      case "step_number": number = try scanner.null() ? nil : try scanner.integer(Self.numberWanted)
      case "action": action = try scanner.text("a string")
      case "result": result = try scanner.null() ? nil : try scanner.text("a string, or null")
      case "tool": tool = try scanner.null() ? nil : try scanner.text("a string, or null")
      case "duration_ms": milliseconds = try scanner.null() ? nil : try scanner.integer(Self.durationWanted)
      case "success": success = try scanner.null() ? nil : try scanner.bool("true, false or null")
      case "timestamp": timestamp = try scanner.time()
      case "source", "source_id", "actor", "trust": try provenance.read(name, &scanner)
      default: throw scanner.fault("is no member of a step; put it under metadata of the episode")
      }
    }
    guard let action else { throw scanner.missing("action", "a string") }
    guard let timestamp else { throw scanner.missing("timestamp", JSONScanner.timeWanted) }
    self.number = number
    self.action = action
    self.result = result
    self.tool = tool
    self.milliseconds = milliseconds
    self.success = success
    self.timestamp = timestamp
    self.provenance = provenance
  }

  func step(number: Int, now: Timestamp) -> Step {
    Step(
      id: .generate(at: now), number: number, action: action, result: result, tool: tool,
      duration: milliseconds.map { .milliseconds($0) }, success: success, timestamp: timestamp,
      provenance: provenance)
  }
}

extension Step {
  /// The step as in the line of its episode; members that are `nil` are left out.
  public var json: JSON {
    var members: JSON.Object = [
      "step_number": .integer(Int64(number)), "action": .string(action), "timestamp": .string(timestamp.description),
    ]
    members["result"] = result.map(JSON.string)
    members["tool"] = tool.map(JSON.string)
    members["duration_ms"] = duration.map { .integer($0.milliseconds) }
    members["success"] = success.map(JSON.bool)
    provenance.write(to: &members)
    return .object(members)
  }
}

extension Provenance {
  static let trustWanted = "one of \(Trust.allCases.map(\.rawValue).joined(separator: ", "))"
  private static let sourceWanted = "one of \(Source.allCases.map(\.rawValue).joined(separator: ", "))"

  /// Reads the value of one of its members.
  fileprivate mutating func read(_ name: String, _ scanner: inout JSONScanner) throws(MemoryError) {
    if try scanner.null() { return }
    switch name {
    case "source": source = try scanner.name(Self.sourceWanted)
    case "trust": trust = try scanner.name(Self.trustWanted)
    case "source_id": sourceID = try scanner.text("a string with at least one character").canonicallyComposed
    default: actor = try scanner.text("a string with at least one character").canonicallyComposed
    }
  }

  /// Members that are `nil` are left out.
  package func write(to members: inout JSON.Object) {
    members["source"] = source.map { .string($0.rawValue) }
    members["source_id"] = sourceID.map(JSON.string)
    members["actor"] = actor.map(JSON.string)
    members["trust"] = trust.map { .string($0.rawValue) }
  }
}

extension JSONScanner {
  /// The form of a time, for messages.
  package static let timeWanted = "an ISO 8601 UTC time such as 2026-01-31T12:00:00Z"

  /// One of a closed set of names.
  ///
  /// - Parameter wanted: Lists them, for messages.
  mutating func name<Value: RawRepresentable>(_ wanted: String) throws(MemoryError) -> Value
  where Value.RawValue == String {
    let text = try text(wanted)
    guard let value = Value(rawValue: text) else {
      throw fault("is \"\(text.shortened(to: 60))\"; write \(wanted)")
    }
    return value
  }

  package mutating func time() throws(MemoryError) -> Timestamp {
    let text = try text(Self.timeWanted)
    do throws(Timestamp.ParsingError) {
      return try Timestamp(iso8601: text)
    } catch {
      throw fault("is \(error)")
    }
  }
}
