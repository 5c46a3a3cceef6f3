import Foundation

/// Hit rates of the engine and of the simulated policies.
struct ReplayReport: BenchReport {
  private static let engine = "Episodic"
  /// The target: percentage points of the engine below the best policy of a row, at most.
  private static let mostPointsBelowBest = 4.0

  let benchmark = "replay"
  let processes: Int
  let kills: Int
  let cells: [ReplayCell]
  /// The mean of each column over the rows, the engine's first.
  let means: [ReplayCell.Column]
  /// Over all rows, in percentage points.
  let worstPointsBelowBest: Double
  var failure: String?

  init(processes: Int, kills: Int, cells: [ReplayCell]) {
    self.processes = processes
    self.kills = kills
    self.cells = cells
    func mean(_ rates: [Double]) -> Double { rates.reduce(0, +) / Double(max(1, rates.count)) }
    let policies = cells.first?.policies.map(\.name) ?? []
    means =
      [ReplayCell.Column(name: Self.engine, rate: mean(cells.map(\.rate)))]
      + policies.enumerated().map { index, name in
        ReplayCell.Column(name: name, rate: mean(cells.map { $0.policies[index].rate }))
      }
    worstPointsBelowBest = cells.map(\.pointsBelowBest).max() ?? 0
  }

  enum CodingKeys: String, CodingKey {
    case benchmark, processes, kills, cells, means, failure
    case worstPointsBelowBest = "worst_points_below_best"
  }

  /// The figures of a single row are repeated at the top level.
  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(benchmark, forKey: .benchmark)
    try container.encode(processes, forKey: .processes)
    try container.encode(kills, forKey: .kills)
    try container.encode(cells, forKey: .cells)
    try container.encode(means, forKey: .means)
    try container.encode(worstPointsBelowBest, forKey: .worstPointsBelowBest)
    try container.encodeIfPresent(failure, forKey: .failure)
    if cells.count == 1 { try cells.first?.encode(to: encoder) }
  }

  var text: String {
    [heading, rates, verdict].joined(separator: "\n\n")
  }

  private var heading: String {
    "bench replay: processes \(processes), kills \(kills)\nhit rates in % of the requests, every cache empty at first"
  }

  private var rates: String {
    var table = TextTable(
      ["trace @ entries", "requests", "distinct", "hits"] + means.map(\.name) + ["unbounded", "below best"])
    for cell in cells {
      let columns = [cell.rate] + cell.policies.map(\.rate) + [cell.ceiling]
      table.add(
        ["\(cell.trace) @ \(cell.capacity)", cell.requests.grouped, cell.distinct.grouped, cell.hits.grouped]
          + columns.map(Self.percent) + [String(format: "%.1f", cell.pointsBelowBest)])
    }
    if cells.count > 1 {
      let ceiling = cells.map(\.ceiling).reduce(0, +) / Double(cells.count)
      table.add(
        ["mean", "", "", ""] + (means.map(\.rate) + [ceiling]).map(Self.percent)
          + [String(format: "%.1f", worstPointsBelowBest)])
    }
    return table.text
  }

  private var verdict: String {
    let others = means.dropFirst().filter { $0.name != OPT.name }
    guard let engine = means.first, let best = others.max(by: { $0.rate < $1.rate }) else { return "" }
    let isNear = worstPointsBelowBest <= Self.mostPointsBelowBest
    let lead = String(format: "%.1f", 100 * (engine.rate - best.rate))
    return """
      below best: percentage points below the best policy of the row except \(OPT.name); the last line has the maximum
      targets: no row more than \(Int(Self.mostPointsBelowBest)) points below: \(isNear ? "met" : "MISSED"); \
      the mean above every policy's (next \(best.name), by \(lead) points): \
      \(engine.rate > best.rate ? "met" : "MISSED")
      """
  }

  private static func percent(_ share: Double) -> String { String(format: "%.1f", 100 * share) }
}
