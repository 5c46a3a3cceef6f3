import Foundation

/// The results of one kind of fault in one verb.
struct FaultTally: Encodable {
  let kind: FaultKind
  let verb: FaultVerb
  /// Calls that could be struck.
  var points = 0
  /// Calls that were struck.
  var strikes = 0
  /// Calls not reached: threads make different calls in different runs.
  var missed = 0
  /// Processes run, including those of the checks.
  var runs = 0
  /// Episodes acknowledged, which must exist in every later check.
  var acknowledged = 0
  var problems: [String: Int] = [:]
  /// Of the commands beside a stopped process, in seconds.
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

/// The report of `bench faults`.
struct FaultsReport: BenchReport {
  /// Problems shown as text; all are in the JSON.
  private static let mostShown = 40

  let benchmark = "faults"
  let seconds: Double
  let tallies: [FaultTally]
  let problems: [FaultProblem]
  /// Why nothing was run.
  let skipped: String?

  /// Whether every selected call was struck or missed.
  var isComplete: Bool { tallies.allSatisfy { $0.strikes + $0.missed == $0.points } }

  var failure: String? {
    problems.isEmpty ? nil : "\(problems.count) problems in \(strikes.grouped) strikes"
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
