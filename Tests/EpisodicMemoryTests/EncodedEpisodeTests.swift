import ByteCoding
import TestSupport
import Testing

@testable import EpisodicMemory

@Suite struct `An episode in its binary form` {
  private static let episode = Episode(
    id: "e", taskType: .debugging, domain: "dömäin", session: "s", context: "what to do", status: .failed,
    successRate: 0.25, createdAt: Timestamp(milliseconds: 5), completedAt: Timestamp(milliseconds: 9),
    metadata: ["a": [1, "x"]], embeddingVersion: 3,
    steps: (1...3).map {
      Step(
        id: Step.ID("s\($0)"), number: $0, action: "act \($0)", result: $0 == 2 ? nil : "result", tool: "tööl",
        duration: .milliseconds($0), success: $0 == 1 ? nil : true, timestamp: Timestamp(milliseconds: 7))
    })

  private static func encoded(_ episode: Episode) -> [UInt8] {
    var writer = ByteWriter()
    episode.encode(to: &writer)
    return writer.bytes
  }

  private static func decoded() throws -> Episode { try Episode(from: EncodedValue(encoded(episode))) }

  @Test func `equals, hashes and prints like the decoded episode`() throws {
    for _ in 0..<2 {
      let decoded = try Self.decoded()
      #expect(decoded == Self.episode && Self.episode == decoded)
      #expect(try decoded == Self.decoded())
      #expect(Set([decoded, Self.episode]).count == 1)
      #expect("\(decoded)" == "\(Self.episode)")
      var dumps = ("", "")
      dump(decoded, to: &dumps.0)
      dump(Self.episode, to: &dumps.1)
      #expect(dumps.0 == dumps.1)
    }
  }

  @Test func `differs if one field differs, decoded or not`() throws {
    let changes: [(inout Episode) -> Void] = [
      { $0.context += "!" }, { $0.steps[1].result = "" }, { $0.steps.removeLast() }, { $0.status = .completed },
      { $0.session = nil }, { $0.metadata = [:] }, { $0.completedAt = nil }, { $0.successRate = nil },
      { $0.embeddingVersion = 4 }, { $0.taskType = .testing },
    ]
    for change in changes {
      var changed = try Self.decoded()
      change(&changed)
      #expect(try changed != Self.decoded() && changed != Self.episode)
      #expect(try changed == Episode(from: EncodedValue(Self.encoded(changed))))
    }
  }

  @Test func `has value semantics`() throws {
    let original = try Self.decoded()
    var copy = original
    copy.steps.append(copy.steps[0])
    copy.context = "other"
    #expect(original == Self.episode)
    #expect(copy.steps.count == 4 && copy.context == "other")
  }

  /// No bytes trap, neither when they are decoded nor at the first use of a field.
  @Test func `decodes or rejects any bytes without a trap`() {
    var generator = SeededGenerator(seed: 4)
    let whole = Self.encoded(Self.episode)
    var accepted = 0
    for round in 0..<20_000 {
      var bytes = whole
      if round.isMultiple(of: 3) { bytes.removeLast(.random(in: 0...bytes.count, using: &generator)) }
      for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
        // Mostly where the lengths are.
        let limit = Bool.random(using: &generator) ? min(bytes.count, 210) : bytes.count
        bytes[.random(in: 0..<limit, using: &generator)] = .random(in: 0...255, using: &generator)
      }
      guard let episode = try? Episode(from: EncodedValue(bytes)) else { continue }
      accepted += 1
      #expect(episode.steps.allSatisfy { $0.action.utf8.count < 1000 } && episode.context.utf8.count < 1000)
    }
    #expect(accepted > 100)
  }
}
