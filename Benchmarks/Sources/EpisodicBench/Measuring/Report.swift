import Foundation

/// What a benchmark that measures times found.
struct Report: BenchReport {
  let benchmark: String
  let parameters: [String: Int]
  let machine: Machine
  var rows: [Row] = []
  var ratios: [Ratio] = []
  var cache: [CacheCounts] = []
  var quality: [Quality] = []
  var failure: String?

  var text: String {
    let settings = parameters.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.grouped)" }.joined(separator: ", ")
    var blocks = ["bench \(benchmark): \(settings)\n\(machine.text)"]
    for section in sections {
      let rows = rows.filter { $0.section == section }
      var table = TextTable([section, "calls", "p50 ns", "p99 ns", "per second"])
      for row in rows {
        table.add([row.name, row.calls.grouped, row.p50.grouped, row.p99.grouped, Int(row.itemsPerSecond).grouped])
      }
      blocks.append(table.text)
    }
    if !ratios.isEmpty {
      var table = TextTable(["ratios", "", "value", "asked", ""])
      for ratio in ratios {
        let verdict = ratio.isMet.map { $0 ? "met" : "MISSED" } ?? ""
        table.add([ratio.name, ratio.section, String(format: "%.2f", ratio.value), ratio.targetText, verdict])
      }
      blocks.append(table.text)
    }
    if !cache.isEmpty { blocks.append(cacheText) }
    if !quality.isEmpty { blocks.append(qualityText) }
    blocks.append(legend)
    return blocks.joined(separator: "\n\n")
  }

  private var cacheText: String {
    var table = TextTable(["what the cache counted", "reads", "hits", "misses", "fills", "evicted"])
    for counts in cache {
      table.add([
        counts.stage, counts.reads.grouped, counts.hits.grouped, counts.misses.grouped, counts.fills.grouped,
        counts.evicted.grouped,
      ])
    }
    return table.text
  }

  private var qualityText: String {
    var table = TextTable(["retrieval", "queries", "nDCG@10", "R@10", "MRR@100"])
    for quality in quality {
      let figures = [quality.ndcg, quality.recall, quality.reciprocalRank].map { String(format: "%.4f", $0) }
      table.add([quality.mode, quality.queries.grouped] + figures)
    }
    return table.text
  }

  /// What each row does, said once.
  private var legend: String {
    var seen: Set<String> = []
    let width = rows.map(\.name.count).max() ?? 0
    return rows.filter { seen.insert($0.name).inserted }.map { row in
      row.name + String(repeating: " ", count: width - row.name.count) + "  " + row.what
    }.joined(separator: "\n")
  }

  private var sections: [String] {
    var seen: Set<String> = []
    return rows.map(\.section).filter { seen.insert($0).inserted }
  }
}
