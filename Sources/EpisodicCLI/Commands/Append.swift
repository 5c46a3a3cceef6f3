import ArgumentParser
import Episodic

struct Append: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "append",
    abstract: "Appends a step to an active episode and prints its number.",
    discussion: """
      With - after the id, a step is read from standard input as one JSON object: action, and perhaps result, tool, \
      duration_ms, success, step_number, timestamp, source, source_id, actor and trust, as in a line of an import. With - in place of the id, the object \
      also has the id of the episode. An array of such objects is appended in one commit, all or none.

      --result-file reads a long result from a file, or with - from standard input.

      EXAMPLES:
        episodic append "$id" --action "swift test" --result "timed out after 30 s" --tool bash --failed
        swift test 2>&1 | episodic append @last --action "swift test" --result-file -
        echo '{"action": "swift test", "success": true}' | episodic append "$id" -
      """)

  @OptionGroup var store: StoreOptions
  @OptionGroup var target: EpisodeArguments

  @Option(help: ArgumentHelp("What was done.", valueName: "text"))
  var action: String?

  @Option(help: ArgumentHelp("What came of it.", valueName: "text"))
  var result: String?

  @Option(help: ArgumentHelp("File with the result; - is standard input.", valueName: "file"))
  var resultFile: String?

  @Option(help: ArgumentHelp("Name of the tool used.", valueName: "name"))
  var tool: String?

  @Option(help: ArgumentHelp("How long it took, in whole milliseconds.", valueName: "ms"))
  var durationMs: Int64?

  @Flag(help: "The step succeeded.")
  var succeeded = false

  @Flag(help: "The step failed.")
  var failed = false

  @Option(help: ArgumentHelp("Number of the step; one more than the highest by default.", valueName: "n"))
  var number: Int?

  @Option(help: ArgumentHelp("When it was done; now by default.", valueName: "time"), transform: TimeText.parse)
  var at: Timestamp?

  @OptionGroup var origin: ProvenanceOptions

  @Option(help: IdempotencyKey.help)
  var idempotencyKey: String?

  @OptionGroup var output: OutputOptions

  func validate() throws {
    if target.readsInput {
      guard [action, result, resultFile, tool].allSatisfy({ $0 == nil }), durationMs == nil, number == nil, at == nil,
        !succeeded, !failed, origin.isEmpty
      else { throw ValidationError("with -, the step is in the object; leave its options out") }
    } else if action == nil {
      throw ValidationError("--action is missing; say what was done, or give - for standard input")
    }
    guard !(succeeded && failed) else { throw ValidationError("--succeeded and --failed exclude each other; give one") }
    guard result == nil || resultFile == nil else {
      throw ValidationError("--result and --result-file exclude each other; give one")
    }
    if let resultFile { try NonUTF8Arguments.refuse(resultFile, as: "--result-file") }
  }

  func run() async throws {
    let (reference, drafts, isList, key) = try input()
    let steps = try await store.withMemory(for: .shortWrite) { memory in
      let id = try await EpisodeReference.resolve(reference, in: target.domain, memory)
      return try await memory.append(drafts, to: id, idempotencyKey: key)
    }
    if output.json {
      StandardOutput.write(isList ? .array(steps.map(\.json)) : steps.first?.json ?? .null)
    } else {
      for step in steps { StandardOutput.write("\(step.number)") }
    }
  }

  private func input() throws -> (reference: String, drafts: [Step.Draft], isList: Bool, key: String?) {
    guard target.readsInput else {
      let draft = Step.Draft(
        action ?? "", result: try resultFile.map(FileBytes.text) ?? result, tool: tool,
        duration: durationMs.map { .milliseconds($0) }, success: succeeded ? true : failed ? false : nil,
        number: number,
        timestamp: at, provenance: origin.provenance)
      return (target.episode, [draft], false, idempotencyKey)
    }
    let value = try StandardInput.json()
    if case .array(let elements) = value {
      guard target.episode != "-" else {
        throw MemoryError(.invalid, "an array of steps names no episode; name it before -")
      }
      return (target.episode, try elements.map { try Step.Draft(object: $0) }, true, idempotencyKey)
    }
    var object = try InputObject(value, as: "a step")
    let reference = try target.reference(&object)
    let key = try object.text(IdempotencyKey.member)
    let draft = try Step.Draft(members: &object)
    try object.end()
    return (reference, [draft], false, key ?? idempotencyKey)
  }
}
