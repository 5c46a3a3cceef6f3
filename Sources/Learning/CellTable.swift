/// The runs in an order that their content decides, the cells at which they were at risk, and the occurrences of every pattern.
///
/// A *cell* is a run at a step at which it was still going; the cells of one agent, domain and step are a *stratum*, whose mean
/// outcome is expected of each of them. Counts are integers until they are complete, so neither the order in which runs come nor
/// a run that came and went changes a bit.
struct CellTable {
  /// The runs of one agent in one domain, consecutive in `runs`.
  struct Group {
    var domain: Int
    var agent: Int
    var runs: Range<Int>
    /// Of each step: the mean outcome of the runs that were still going.
    var expected: [Double]
  }

  /// A situation: consecutive in `patterns` are all actions that were done in it.
  struct Situation {
    var patterns: Range<Int>
    var weight: Double
  }

  struct Pattern {
    var key: PackedKey
    /// In `cells`.
    var occurrences: Range<Int>
    /// Sum of the variances of the expected outcomes: the change of the score by a log odds of 1.
    var weight: Double
    /// None for a loop, which is compared to every run at its step.
    var situation: Int?
  }

  let runs: [RunTrace]
  let agents: [String]
  let domains: [String]
  /// 1 for a success.
  let outcome: [Double]
  let groups: [Group]
  let groupOfRun: [Int]
  /// Numbered domain by domain.
  let taskOfRun: [Int]
  let tasksOfDomain: [Range<Int>]
  /// First cell of each run, and the end of the last.
  let firstCell: [Int]
  let runOfCell: [Int32]
  let expectedOfCell: [Double]
  let patterns: [Pattern]
  let cells: [Int32]
  let situations: [Situation]
  private let texts: [String]

  var tasks: Int { tasksOfDomain.last?.upperBound ?? 0 }

  /// - Parameter rarest: Symbols that occur less often are one, `rare`.
  init(_ traces: [RunTrace], rarest: Int, excluding advised: Set<Learner.Advised> = []) {
    let runs = traces.sorted { a, b in
      if a.domain != b.domain { return a.domain < b.domain }
      if a.agent != b.agent { return a.agent < b.agent }
      return a.task != b.task ? a.task < b.task : a.run < b.run
    }
    self.runs = runs
    outcome = runs.map { $0.succeeded ? 1 : 0 }
    let agentNumbers = Numbering(runs.map(\.agent))
    let domainNumbers = Numbering(runs.map(\.domain))
    (agents, domains) = (agentNumbers.texts, domainNumbers.texts)

    (taskOfRun, tasksOfDomain) = Self.numberedTasks(runs)
    var groups: [Group] = []
    var groupOfRun: [Int] = .init(repeating: 0, count: runs.count)
    for range in runs.consecutive(where: { $0.domain == $1.domain && $0.agent == $1.agent }) {
      for run in range { groupOfRun[run] = groups.count }
      let first = runs[range.lowerBound]
      groups.append(
        Group(
          domain: domainNumbers[first.domain], agent: agentNumbers[first.agent], runs: range,
          expected: Self.meanOutcomes(runs[range])))
    }
    (self.groups, self.groupOfRun) = (groups, groupOfRun)

    let symbols = Self.symbols(of: runs, occurring: rarest)
    texts = symbols.texts
    var firstCell: [Int] = []
    var runOfCell: [Int32] = []
    var expectedOfCell: [Double] = []
    var found: [Occurrence] = []
    for (index, run) in runs.enumerated() {
      firstCell.append(runOfCell.count)
      found.append(run: run, firstCell: runOfCell.count, symbols)
      for step in 0..<run.usableSteps {
        runOfCell.append(Int32(index))
        expectedOfCell.append(groups[groupOfRun[index]].expected[step])
      }
    }
    firstCell.append(runOfCell.count)
    (self.firstCell, self.runOfCell, self.expectedOfCell) = (firstCell, runOfCell, expectedOfCell)

    if !advised.isEmpty {
      let order = runs
      let runs = Set(advised.map(\.run))
      found.removeAll { occurrence in
        let run = order[Int(runOfCell[Int(occurrence.cell)])].run
        return runs.contains(run) && advised.contains(.init(run: run, key: PatternKey(occurrence.key, symbols.texts)))
      }
    }
    found.sort { $0.key != $1.key ? $0.key < $1.key : $0.cell < $1.cell }
    cells = found.map(\.cell)
    var patterns: [Pattern] = []
    var situations: [Situation] = []
    for range in found.consecutive(where: { $0.key == $1.key }) {
      let key = found[range.lowerBound].key
      let weight = found[range].reduce(0) { sum, occurrence in
        let expected = expectedOfCell[Int(occurrence.cell)]
        return sum + expected * (1 - expected)
      }
      if key.form != .loop {
        if let last = patterns.last, last.situation != nil, last.key.situation == key.situation {
          situations[situations.count - 1].patterns =
            situations[situations.count - 1].patterns.lowerBound..<patterns.count + 1
          situations[situations.count - 1].weight += weight
        } else {
          situations.append(Situation(patterns: patterns.count..<patterns.count + 1, weight: weight))
        }
      }
      patterns.append(
        Pattern(
          key: key, occurrences: range, weight: weight, situation: key.form == .loop ? nil : situations.count - 1))
    }
    (self.patterns, self.situations) = (patterns, situations)
  }

  /// Those that occur often enough for a pattern, which are far fewer than a key has room for.
  private static func symbols(of runs: [RunTrace], occurring rarest: Int) -> Numbering {
    var counts: [String: Int] = [:]
    for step in runs.lazy.flatMap(\.steps) {
      counts[step.symbol.text, default: 0] += 1
      counts[step.symbol.action, default: 0] += 1
      if let signature = step.signature { counts[signature, default: 0] += 1 }
    }
    return Numbering(
      counts.filter { $0.value >= rarest }.keys + [PatternKey.start, PatternKey.sameAction, PatternKey.sameError],
      others: rare)
  }

  /// Stands for all symbols that are too rare for a pattern. No text of an action is empty.
  private static let rare = ""

  /// Whether a part of the pattern is `rare`.
  func isRare(_ pattern: Int) -> Bool {
    let key = key(of: pattern)
    return key.then == Self.rare || key.when.contains(Self.rare)
  }

  /// The tasks of a domain have consecutive numbers.
  private static func numberedTasks(_ runs: [RunTrace]) -> (ofRun: [Int], ofDomain: [Range<Int>]) {
    var ofRun: [Int] = []
    var ofDomain: [Range<Int>] = []
    for range in runs.consecutive(where: { $0.domain == $1.domain }) {
      let start = ofDomain.last?.upperBound ?? 0
      let tasks = Set(runs[range].map(\.task)).sorted()
      let numbers = Dictionary(uniqueKeysWithValues: zip(tasks, start...))
      ofRun += runs[range].map { numbers[$0.task] ?? start }
      ofDomain.append(start..<start + tasks.count)
    }
    return (ofRun, ofDomain)
  }

  private static func meanOutcomes(_ runs: ArraySlice<RunTrace>) -> [Double] {
    var counts: [(successes: Int, runs: Int)] = .init(repeating: (0, 0), count: runs.map(\.usableSteps).max() ?? 0)
    for run in runs {
      for step in 0..<run.usableSteps {
        counts[step].runs += 1
        if run.succeeded { counts[step].successes += 1 }
      }
    }
    return counts.map { Double($0.successes) / Double($0.runs) }
  }

  // MARK: Reading

  func cells(of pattern: Int) -> ArraySlice<Int32> { cells[patterns[pattern].occurrences] }

  /// Step of a cell, from 0.
  func step(of cell: Int32) -> Int { Int(cell) - firstCell[Int(runOfCell[Int(cell)])] }

  /// Of everything that was done in the pattern's situation.
  func occurrences(inSituationOf pattern: Int) -> Range<Int>? {
    guard let situation = patterns[pattern].situation else { return nil }
    let range = situations[situation].patterns
    return patterns[range.lowerBound].occurrences.lowerBound..<patterns[range.upperBound - 1].occurrences.upperBound
  }

  func taskCount(of pattern: Int) -> Int { Set(cells(of: pattern).map { taskOfRun[Int(runOfCell[Int($0)])] }).count }

  func key(of pattern: Int) -> PatternKey { PatternKey(patterns[pattern].key, texts) }
}

extension PatternKey {
  fileprivate init(_ key: PackedKey, _ texts: [String]) {
    let (before, then) = (texts[key.before], texts[key.then])
    switch key.form {
    case .afterStep: self.init(when: [before], then: then)
    case .afterTwoSteps: self.init(when: [texts[key.earlier], before], then: then)
    case .afterError: self.init(.resolution, when: [texts[key.earlier], before], then: then)
    case .loop: self.init(.loop, when: [], then: then)
    }
  }
}

/// What a pattern is made of, in 64 bits, so that those of one situation are neighbours.
struct PackedKey: Hashable, Comparable {
  enum Form: UInt64 {
    case afterStep, afterTwoSteps, afterError, loop
  }

  private let bits: UInt64

  init(_ form: Form, earlier: Int = 0, before: Int = 0, then: Int) {
    bits = form.rawValue << 60 | Self.part(earlier) << 40 | Self.part(before) << 20 | Self.part(then)
  }

  var form: Form { Form(rawValue: bits >> 60) ?? .loop }
  var situation: UInt64 { bits >> 20 }
  /// The first of two steps, or an error.
  var earlier: Int { Int(bits >> 40 & Self.mask) }
  var before: Int { Int(bits >> 20 & Self.mask) }
  var then: Int { Int(bits & Self.mask) }

  /// The pattern whose situation is only the step before.
  var wider: PackedKey? {
    form == .afterTwoSteps || form == .afterError ? PackedKey(.afterStep, before: before, then: then) : nil
  }

  static func < (a: Self, b: Self) -> Bool { a.bits < b.bits }

  static let mask: UInt64 = 0xFFFFF
  private static func part(_ number: Int) -> UInt64 { UInt64(clamping: number) & mask }
}

/// A pattern that ended at a cell.
struct Occurrence {
  var key: PackedKey
  var cell: Int32
}

extension [Occurrence] {
  fileprivate mutating func append(run: RunTrace, firstCell: Int, _ symbols: Numbering) {
    var before = symbols[PatternKey.start]
    var earlier: Int?
    var error: Int?
    for (position, step) in run.steps.prefix(run.usableSteps).enumerated() {
      let cell = Int32(firstCell + position)
      let then = symbols[step.symbol.action]
      append(Occurrence(key: PackedKey(.afterStep, before: before, then: then), cell: cell))
      if let earlier {
        append(Occurrence(key: PackedKey(.afterTwoSteps, earlier: earlier, before: before, then: then), cell: cell))
      }
      if let error {
        append(Occurrence(key: PackedKey(.afterError, earlier: error, before: before, then: then), cell: cell))
      }
      if step.repetition == 3 {
        append(Occurrence(key: PackedKey(.loop, then: symbols[PatternKey.sameAction]), cell: cell))
      }
      let signature = step.signature.map { symbols[$0] }
      if let signature, signature == error {
        append(Occurrence(key: PackedKey(.loop, then: symbols[PatternKey.sameError]), cell: cell))
      }
      (earlier, before, error) = (before, symbols[step.symbol.text], signature)
    }
  }
}

/// Numbers of texts, in the order of their bytes.
private struct Numbering {
  let texts: [String]
  private let numbers: [String: Int]

  /// - Parameter others: Stands for every other text; it has the number 0.
  init(_ texts: some Sequence<String>, others: String? = nil) {
    self.texts = (others.map { [$0] } ?? []) + Set(texts).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    numbers = Dictionary(self.texts.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// Of a text beyond the room of a key, as of every other: 0.
  subscript(text: String) -> Int { numbers[text].map { $0 > Int(PackedKey.mask) ? 0 : $0 } ?? 0 }
}

extension Array {
  /// The ranges of neighbours that are alike.
  func consecutive(where alike: (Element, Element) -> Bool) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var start = 0
    for index in indices where index + 1 == count || !alike(self[index], self[index + 1]) {
      ranges.append(start..<index + 1)
      start = index + 1
    }
    return ranges
  }
}
