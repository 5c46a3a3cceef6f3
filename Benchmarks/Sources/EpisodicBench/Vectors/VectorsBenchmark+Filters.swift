import Episodic

extension VectorsBenchmark {
  /// Asks with each filter, and holds the answers against an exact pass over the rows that it lets through.
  func filtered(_ memory: Memory, unfiltered: Search, _ report: inout VectorsReport) async throws {
    for filter in population.filters {
      progress.show("filter of \(filter.name)", 0, of: 1)
      let truth = Truth(among: filter.rows, k: options.k, queries: unitQueries, scan: scan)
      var search = Search(
        filter.name, "memory.search with a filter that lets \(filter.rows.count.grouped) rows through", truth: truth)
      for query in 0..<min(100, queries.count) { _ = try await memory.search(question(query, filter: filter)) }
      for _ in 0..<options.repeats {
        for query in 0..<queries.count { try await ask(query, memory, filter: filter, &search) }
      }
      report.searches.append(SearchRow(search, section: "filtered"))
      report.ratios += [
        Ratio(
          "\(filter.name) / unfiltered, p50", section: "filtered", search.series.p50, over: unfiltered.series.p50,
          target: .atMost(filter.mostOfUnfiltered)),
        Ratio("\(filter.name), recall", section: "filtered", search.recall, over: 1, target: .atLeast(0.99)),
      ]
    }
  }
}
