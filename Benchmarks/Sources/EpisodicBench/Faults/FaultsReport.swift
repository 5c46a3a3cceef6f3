import Foundation

/// What came of the strikes of one kind at one verb.
struct FaultTally: Encodable {
  let kind: FaultKind
  let verb: FaultVerb
  /// Where there was something to strike.
  var points = 0
  /// Where it was struck.
  var strikes = 0
  /// Calls that were not reached: threads do not make the same calls in every run.
  var missed = 0
  /// Processes that were run, those that looked after each strike included.
  var runs = 0
  /// Episodes that were acknowledged under fire, and had to be there ever after.
  var acknowledged = 0
  var problems: [String: Int] = [:]
  /// Of those beside a process that stands still, in seconds.
  var longestWait = 0.0

  init(kind: FaultKind, verb: FaultVerb) {
    self.kind = kind
    self.verb = verb
  }

  mutating func add(_ what: FaultProblem.What) { problems[what.rawValue, default: 0] += 1 }

  enum CodingKeys: String, CodingKey {
    case kind, verb, points, strikes, missed, runs, acknowledged, problems
    case longestWait = "longest_wait_s"
  }
}

/// What `bench faults` found.
struct FaultsReport: BenchReport {
  /// Enough to begin with; all of them are in the JSON.
  private static let mostShown = 40

  let benchmark = "faults"
  let seconds: Double
  let tallies: [FaultTally]
  let problems: [FaultProblem]
  /// Why nothing was struck.
  let skipped: String?

  /// Struck at every call that was asked for.
  var isComplete: Bool { tallies.allSatisfy { $0.strikes + $0.missed == $0.points } }

  var failure: String? {
    problems.isEmpty ? nil : "\(problems.count) things that must not happen, in \(strikes.grouped) strikes"
  }

  private var strikes: Int { tallies.reduce(0) { $0 + $1.strikes } }

  var text: String {
    if let skipped { return "bench faults: skipped: \(skipped)" }
    let kinds = FaultProblem.What.allCases
    var table = TextTable(
      ["faults", "points", "strikes", "runs", "acknowledged", "longest wait"] + kinds.map(\.rawValue))
    for tally in tallies {
      table.add(
        [
          "\(tally.kind.rawValue) \(tally.verb.rawValue)", tally.points.grouped, tally.strikes.grouped,
          tally.runs.grouped, tally.acknowledged.grouped,
          tally.kind == .stop ? String(format: "%.1f s", tally.longestWait) : "",
        ] + kinds.map { (tally.problems[$0.rawValue] ?? 0).grouped })
    }
    var blocks = ["bench faults: \(strikes.grouped) strikes in \(Int(seconds).grouped) s", table.text]
    if !isComplete { blocks.append("not every point was struck before the time was over; give more --seconds") }
    if !problems.isEmpty {
      var lines = problems.prefix(Self.mostShown).map(\.text)
      if problems.count > lines.count { lines.append("and \(problems.count - lines.count) more; see --json") }
      blocks.append(lines.joined(separator: "\n"))
    }
    return blocks.joined(separator: "\n\n")
  }

  enum CodingKeys: String, CodingKey { case benchmark, seconds, tallies, problems, skipped }
}
