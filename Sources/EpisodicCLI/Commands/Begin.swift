import ArgumentParser
import Episodic
import Foundation

struct Begin: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "begin",
    abstract: "Begins an episode and prints its id.",
    discussion: """
      The episode is active until complete, fail or archive ends it. The store is created if there is none.

      With -, one JSON object is read from standard input instead of options: task_type, domain and context are \
      required; id, session, metadata, status, success_rate, created_at, completed_at, source, source_id, actor, trust, \
      derived_from and steps may follow, as in a line of an import. What is left out has its default: a new id, the present time, {}, active, []. An episode with \
      steps is stored with them at once.

      EXAMPLES:
        id=$(episodic begin --task debugging --domain web --context "the login test fails on CI")
        episodic begin --task testing --domain web --context nightly --session release-42 --json
        echo '{"task_type": "testing", "domain": "web", "context": "nightly"}' | episodic begin -
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("- to read one JSON object from standard input instead of options.", valueName: "-"))
  var input: String?

  @Option(help: ArgumentHelp("Kind of work, such as testing, debugging, refactoring.", valueName: "type"))
  var task: String?

  @Option(help: ArgumentHelp("The privacy boundary the episode belongs to.", valueName: "domain"))
  var domain: String?

  @Option(help: ArgumentHelp("What the task is, in words.", valueName: "text"))
  var context: String?

  @Option(help: ArgumentHelp("Groups the episodes of one workflow.", valueName: "name"))
  var session: String?

  @Option(help: ArgumentHelp("Further facts as a JSON object.", valueName: "json"), transform: MetadataText.parse)
  var metadata: JSON?

  @Option(help: ArgumentHelp("The id of the episode; a new one by default.", valueName: "id"))
  var id: String?

  @OptionGroup var origin: ProvenanceOptions

  @Option(
    help: ArgumentHelp(
      "An episode that it is derived from, such as one that it sums up; may be given again.", valueName: "id"))
  var derivedFrom: [String] = []

  @Option(help: IdempotencyKey.help)
  var idempotencyKey: String?

  @OptionGroup var output: OutputOptions

  func validate() throws {
    if let input {
      guard input == "-" else {
        throw ValidationError("unexpected argument \"\(input)\"; give --context, or - for standard input")
      }
      guard [task, domain, context, session, id, idempotencyKey].allSatisfy({ $0 == nil }), metadata == nil,
        origin.isEmpty,
        derivedFrom.isEmpty
      else {
        throw ValidationError("with -, everything is in the object; leave the other options out")
      }
    } else {
      for (name, value) in [("--task", task), ("--domain", domain), ("--context", context)] where value == nil {
        throw ValidationError("\(name) is missing; give --task, --domain and --context, or - for standard input")
      }
    }
  }

  func run() async throws {
    let (new, key) = try newEpisode()
    if let id = new.id, id == "-" || id.hasPrefix("@") {
      throw MemoryError(.invalid, "the id \"\(id)\" would be read as a place or as standard input; choose another")
    }
    try Validation().episode(new.episode)
    let episode = try await store.withMemory(creating: true, for: .shortWrite) { memory in
      if let key { return try await memory.begin(try new.draft(key), idempotencyKey: key) }
      _ = try await memory.insert([new.episode])
      return new.episode
    }
    output.json ? StandardOutput.write(episode.json) : StandardOutput.write(episode.id.rawValue.onOneLine)
  }

  private func newEpisode() throws -> (NewEpisode, key: String?) {
    let now = SystemClock().now()
    guard input == nil else {
      var object = try InputObject("an episode")
      let key = try object.text(IdempotencyKey.member)
      let new = NewEpisode(id: try object.text("id"), episode: try Episode(members: &object, now: now))
      try object.end()
      return (new, key)
    }
    // `validate` has made sure of the three.
    let episode = Episode(
      id: id.map { Episode.ID($0) } ?? .generate(at: now), taskType: TaskType(task ?? ""), domain: domain ?? "",
      session: session, context: context ?? "", createdAt: now, metadata: metadata ?? [:],
      provenance: origin.provenance,
      parents: derivedFrom.map { Episode.ID($0) })
    return (NewEpisode(id: id, episode: episode), idempotencyKey)
  }
}

/// An episode to store, and its id if the caller chose it.
private struct NewEpisode {
  let id: String?
  var episode: Episode

  init(id: String?, episode: Episode) {
    self.id = id
    self.episode = episode
    guard let id, episode.id != Episode.ID(id) else { return }
    self.episode = Episode(
      id: Episode.ID(id), taskType: episode.taskType, domain: episode.domain, session: episode.session,
      context: episode.context, status: episode.status, successRate: episode.successRate,
      createdAt: episode.createdAt, completedAt: episode.completedAt, metadata: episode.metadata,
      provenance: episode.provenance, parents: episode.parents, steps: episode.steps)
  }

  /// The part that a request with a key has.
  ///
  /// - Throws: `.invalid` if the episode has more.
  func draft(_ key: String) throws(MemoryError) -> Episode.Draft {
    guard episode.steps.isEmpty, episode.status == .active else {
      throw MemoryError(
        .invalid,
        "the idempotency key \"\(key)\" is for an active episode without steps; append its steps with keys of their own"
      )
    }
    return Episode.Draft(
      episode.taskType, domain: episode.domain, context: episode.context, session: episode.session,
      metadata: episode.metadata, id: id.map { Episode.ID($0) }, provenance: episode.provenance,
      parents: episode.parents)
  }
}

extension Episode {
  /// Reads the form of an import, in which everything but task type, domain and context has a default.
  fileprivate init(members object: inout InputObject, now: Timestamp) throws(MemoryError) {
    let status = try Episode.Status(member: "status", of: &object) ?? .active
    let created = try object.time("created_at") ?? now
    let completed = try object.time("completed_at")
    self.init(
      id: .generate(at: now),
      taskType: TaskType(try object.required("task_type")), domain: try object.required("domain"),
      session: try object.text("session"), context: try object.required("context"), status: status,
      successRate: try object.number("success_rate"), createdAt: created,
      completedAt: completed ?? (status == .completed || status == .failed ? max(now, created) : nil),
      metadata: try object.object("metadata") ?? [:], provenance: try Provenance(members: &object),
      parents: try Self.parents(try object.array("derived_from") ?? []),
      steps: try Self.steps(try object.array("steps") ?? [], now: now))
  }

  private static func parents(_ values: [JSON]) throws(MemoryError) -> [Episode.ID] {
    var ids: [Episode.ID] = []
    for value in values {
      guard case .string(let id) = value else {
        throw MemoryError(.invalid, "derived_from has \(value.canonicalText.prefix(40)); write ids of episodes")
      }
      ids.append(Episode.ID(id))
    }
    return ids
  }

  private static func steps(_ values: [JSON], now: Timestamp) throws(MemoryError) -> [Step] {
    var steps: [Step] = []
    var highest = 0
    for (index, value) in values.enumerated() {
      let draft: Step.Draft
      do throws(MemoryError) {
        draft = try Step.Draft(object: value)
      } catch {
        throw error.naming(place: "steps[\(index)]")
      }
      let number = draft.number ?? (highest < Int.max ? highest + 1 : highest)
      highest = max(highest, number)
      steps.append(
        Step(
          id: .generate(at: now), number: number, action: draft.action, result: draft.result, tool: draft.tool,
          duration: draft.duration, success: draft.success, timestamp: draft.timestamp ?? now,
          provenance: draft.provenance))
    }
    return steps.sorted { $0.number < $1.number }
  }
}
