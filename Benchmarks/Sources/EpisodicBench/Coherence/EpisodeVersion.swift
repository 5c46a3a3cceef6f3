import Episodic

/// The counters of an episode; none of them ever goes back.
struct EpisodeVersion: Equatable, CustomStringConvertible {
  let told: Int64
  let noted: Int64
  let steps: Int64

  init(told: Int64, noted: Int64, steps: Int64) {
    self.told = told
    self.noted = noted
    self.steps = steps
  }

  /// As they can be read from an episode.
  init(_ episode: Episode) throws {
    let number = episode.context.prefix { $0 != " " }.split(separator: "c").last.flatMap { Int64($0) }
    guard let number, let noted = episode.noted else {
      throw BenchError("\(episode.id) has lost its counters: \"\(episode.context)\", \(episode.metadata)")
    }
    self.init(told: number, noted: noted, steps: Int64(episode.steps.count))
  }

  func isOlder(than other: EpisodeVersion) -> Bool {
    told < other.told || noted < other.noted || steps < other.steps
  }

  var description: String { "told \(told), noted \(noted), steps \(steps)" }
}

extension Episode {
  /// The counter in the metadata.
  var noted: Int64? {
    if case .integer(let noted) = metadata["n"] { noted } else { nil }
  }
}
