import ArgumentParser
import Episodic
import Foundation

/// Opens a store, writes, and closes it; what it prints after a write is an acknowledgement.
///
/// The commands of `episodic` tell what they did once they have closed the store. This one tells it before, so that a
/// kill in the middle of closing shows whether closing loses what was acknowledged.
struct FaultsWorkerCommand: AsyncParsableCommand {
  static let name = "faults-worker"
  static let configuration = CommandConfiguration(
    commandName: name, abstract: "A process of bench faults.", shouldDisplay: false)

  @Option var store: String
  /// As `ID=WORD`.
  @Argument var episodes: [String]

  func run() async throws {
    let memory = try await Memory.open(at: store)
    for episode in episodes {
      let parts = episode.split(separator: "=").map(String.init)
      guard parts.count == 2 else { throw ValidationError("\(episode) is not ID=WORD") }
      let begun = try await memory.begin(
        .init(.testing, domain: "faults", context: "written and acknowledged", id: Episode.ID(parts[0])))
      try await memory.append(Step.Draft("true \(parts[1])", success: true), to: begun.id)
      try await memory.complete(begun.id)
      StandardOutput.write("written \(episode)")
    }
    try await memory.close()
  }
}
