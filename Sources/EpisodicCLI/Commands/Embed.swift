import ArgumentParser
import Episodic
import Foundation

struct Embed: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "embed",
    abstract: "Adds the vector of an episode or of one of its steps.",
    discussion: """
      --vector is a file of raw little-endian float32, or - for standard input. The embedded text is the context, or for \
      --step the action and the result, unless --content says another. Prints the id of the vector.

      With - after the id, one JSON object is read from standard input: model, vector (an array of numbers), and perhaps \
      step_number, content, replace, id.

      EXAMPLES:
        embedder "$text" | episodic embed "$id" --vector - --model all-MiniLM-L6-v2
        episodic embed @last --step 3 --vector step.f32 --model all-MiniLM-L6-v2 --replace
        echo '{"model": "m", "vector": [0.1, 0.9]}' | episodic embed @last -
      """)

  @OptionGroup var store: StoreOptions
  @OptionGroup var target: EpisodeArguments

  @Option(
    help: ArgumentHelp("File with the vector: raw little-endian float32; - is standard input.", valueName: "file"))
  var vector: String?

  @Option(help: ArgumentHelp("The model that made the vector.", valueName: "name"))
  var model: String?

  @Option(help: ArgumentHelp("Number of the step; the whole episode by default.", valueName: "n"))
  var step: Int?

  @Option(help: ArgumentHelp("The text that was embedded.", valueName: "text"))
  var content: String?

  @Flag(help: "Delete earlier vectors of the same episode, step and model.")
  var replace = false

  @OptionGroup var output: OutputOptions

  func validate() throws {
    if target.readsInput {
      guard vector == nil, model == nil, step == nil, content == nil, !replace else {
        throw ValidationError("with -, the vector is in the object; leave its options out")
      }
    } else {
      guard let vector, model != nil else {
        throw ValidationError("--vector and --model are needed; give both, or - for an object on standard input")
      }
      try NonUTF8Arguments.refuse(vector, as: "--vector")
    }
  }

  func run() async throws {
    let input = try input()
    let embedding = try await store.withMemory(for: .shortWrite) { memory in
      let id = try await EpisodeReference.resolve(input.reference, in: target.domain, memory)
      guard let episode = try await memory.episode(id) else {
        throw MemoryError(.notFound, "no episode \"\(input.reference)\"")
      }
      var step: Step?
      if let number = input.step {
        guard let found = episode.steps.first(where: { Int64($0.number) == number }) else {
          throw MemoryError(.notFound, "episode \"\(id)\" has no step \(number); show lists its steps")
        }
        step = found
      }
      let text = step.map { [$0.action, $0.result].compactMap { $0 }.joined(separator: "\n") } ?? episode.context
      return try await memory.embed(
        Embedding.Draft(
          of: id, step: step?.id, content: input.content ?? text, vector: input.vector, model: input.model),
        replacing: input.replaces)
    }
    if output.json {
      StandardOutput.write(embedding.json(step: input.step))
    } else {
      StandardOutput.write(embedding.id.rawValue)
    }
  }

  private struct Input {
    var reference: String
    var vector: [Float]
    var model: String
    var step: Int64?
    var content: String?
    var replaces: Bool
  }

  private func input() throws -> Input {
    guard target.readsInput else {
      return Input(
        reference: target.episode, vector: try Self.row(of: vector ?? "-"), model: model ?? "",
        step: step.map(Int64.init), content: content, replaces: replace)
    }
    var object = try InputObject("a vector")
    let reference = try target.reference(&object)
    guard let numbers = try object.array("vector") else {
      throw MemoryError(.invalid, "vector is missing; write an array of numbers")
    }
    let input = Input(
      reference: reference,
      vector: try numbers.enumerated().map { (index, value) throws(MemoryError) in
        guard let number = value.double else {
          throw MemoryError(.invalid, "vector[\(index)] is \(value.outputText.prefix(60)); write a number")
        }
        return Float(number)
      }, model: try object.required("model"), step: try object.integer("step_number"),
      content: try object.text("content"), replaces: try object.bool("replace") ?? false)
    try object.end()
    return input
  }

  /// One vector of raw little-endian float32.
  private static func row(of file: String) throws(MemoryError) -> [Float] {
    let bytes = try file == "-" ? StandardInput.bytes() : FileBytes.read(file)
    guard !bytes.isEmpty, bytes.count.isMultiple(of: 4) else {
      throw MemoryError(.invalid, "the vector in \(file) has \(bytes.count) bytes; write float32, 4 bytes a number")
    }
    return stride(from: 0, to: bytes.count, by: 4).map { at in
      Float(bitPattern: bytes[at..<at + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) })
    }
  }
}

extension Embedding {
  /// Without the numbers.
  fileprivate func json(step: Int64?) -> JSON {
    [
      "id": .string(id.rawValue), "episode_id": .string(episodeID.rawValue),
      "step_number": step.map(JSON.integer) ?? .null, "content": .string(content), "model": .string(model),
      "dimensions": .integer(Int64(vector.count)), "created_at": .string(createdAt.description),
    ]
  }
}
