/// The report of `bench recall`.
struct RecallReport: BenchReport {
  struct SetSize: Encodable {
    let name: String
    let episodes: Int
    let steps: Int
    let questions: Int
  }

  let benchmark = "recall"
  let machine: Machine
  var sets: [SetSize] = []
  var quality: [Quality] = []
  var effects: [Effect] = []
  var requirements: [RequirementResult] = []
  var rows: [Row] = []
  /// How much a signal may lower a metric; `nil` for any.
  var tolerance: Double?

  init(machine: Machine) { self.machine = machine }

  enum CodingKeys: String, CodingKey { case benchmark, machine, sets, quality, effects, requirements, rows, failure }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(benchmark, forKey: .benchmark)
    try container.encode(machine, forKey: .machine)
    try container.encode(sets, forKey: .sets)
    try container.encode(quality, forKey: .quality)
    try container.encode(effects, forKey: .effects)
    try container.encode(requirements, forKey: .requirements)
    try container.encode(rows, forKey: .rows)
    try container.encodeIfPresent(failure, forKey: .failure)
  }

  var failure: String? {
    let missed = requirements.filter { !$0.isMet }.map { "\($0.text) is \($0.value.thousandths) on \($0.set)" }
    let harmful = lowering.map {
      "\($0.signal) lowers \($0.metric.rawValue) of \($0.mode) by \((-$0.mean).thousandths) on \($0.set)"
    }
    let failures = missed + harmful
    return failures.isEmpty ? nil : failures.joined(separator: "; ")
  }

  private var lowering: [Effect] {
    guard let tolerance else { return [] }
    return effects.filter { $0.mean < -tolerance - 1e-9 }
  }

  var text: String {
    var blocks = ["bench recall\n\(machine.text)"]
    for set in sets { blocks += tables(of: set) }
    if !requirements.isEmpty { blocks.append(Self.table(RequirementResult.titles, requirements.map(\.cells))) }
    blocks.append(Self.table(["recall of one query"] + Row.titles, rows.map(\.cells)))
    return blocks.joined(separator: "\n\n")
  }

  private func tables(of set: SetSize) -> [String] {
    let all = quality.filter { $0.set == set.name }
    let whole = all.filter { $0.category == nil }
    let title = "\(set.name): \(set.episodes.grouped) episodes, \(set.steps.grouped) steps"
    var tables = [Self.table([title] + Quality.titles, whole.map(\.cells))]
    let effects = effects.filter { $0.set == set.name }
    if !effects.isEmpty {
      tables.append(
        Self.table(
          ["\(set.name): what a signal adds", "R@10", "95 %", "nDCG@10", "95 %"], Self.lines(of: effects)))
    }
    let parts = all.filter { $0.category != nil }
    let runs = Self.distinct(parts.map(\.run))
    if !parts.isEmpty {
      let lines = Self.distinct(parts.compactMap(\.category)).map { category in
        let row = parts.filter { $0.category == category }
        return [category, (row.first?.questions ?? 0).grouped]
          + runs.map { run in
            row.first { $0.run == run }.map { "\($0.mean(.recall10).thousandths) \($0.mean(.ndcg10).thousandths)" }
              ?? ""
          }
      }
      tables.append(Self.table(["\(set.name): R@10 and nDCG@10", "questions"] + runs, lines))
    }
    return tables
  }

  /// A line for each mode and signal; the effects come in pairs.
  private static func lines(of effects: [Effect]) -> [[String]] {
    distinct(effects.map { "\($0.mode), \($0.signal)" }).map { name in
      [name]
        + effects.filter { "\($0.mode), \($0.signal)" == name }.flatMap {
          [$0.mean.signedThousandths, $0.interval.signedThousandths]
        }
    }
  }

  private static func table(_ titles: [String], _ lines: [[String]]) -> String {
    var table = TextTable(titles)
    for line in lines { table.add(line) }
    return table.text
  }

  private static func distinct(_ texts: [String]) -> [String] {
    var seen: Set<String> = []
    return texts.filter { seen.insert($0).inserted }
  }
}
