extension VectorsBenchmark {
  /// What is asked of the library's search by itself.
  func compare(_ ours: Search, _ floats: Search, _ report: inout VectorsReport) {
    let isUsualK = options.k == 10
    report.ratios += [
      Ratio("recall", section: "unfiltered", ours.recall, over: 1, target: isUsualK ? .atLeast(0.99) : nil),
      Ratio(
        "search, p99 / p50", section: "unfiltered", Double(ours.series.p99), over: ours.series.p50,
        target: isLarge ? .atMost(2.5) : nil),
      Ratio(
        "search, p99 of best / p50", section: "unfiltered", Double(ours.p99OfFastest), over: ours.series.p50),
      Ratio("float32 scan / search, p50", section: "unfiltered", floats.series.p50, over: ours.series.p50),
    ]
  }

  /// At the recall of the library's search, and at those that the literature names.
  func compare(_ ours: Search, _ curve: GraphCurve, _ report: inout VectorsReport) {
    func ratios(_ recall: Double, _ said: String, _ target: Ratio.Target?) {
      let reached = min(recall, curve.best)
      guard let point = curve.point(at: reached) else { return }
      if recall > curve.best {
        report.notes.append("hnswlib reaches a recall of \(curve.best) at most; what is said of \(said) is with that")
      }
      report.ratios += [
        Ratio(
          "search / hnswlib at \(said), p50", section: "unfiltered", ours.series.p50, over: point.p50, target: target),
        Ratio("search / hnswlib at \(said), p99", section: "unfiltered", Double(ours.series.p99), over: point.p99),
      ]
    }
    // Of a large set: no slower where the recall is .998 or more, and never slower than 2.5 times.
    let same: Ratio.Target = .atMost(isLarge ? (ours.recall >= 0.998 ? 1 : 2.5) : 0.5)
    ratios(ours.recall, "the same recall", same)
    // Of others: recall .999 is to cost no more than hnswlib's .99.
    ratios(0.99, ".99", isLarge || ours.recall < 0.999 ? nil : .atMost(1))
    ratios(0.999, ".999", nil)
    if !isLarge, ours.recall < 0.999 {
      report.notes.append(
        "a recall of .999 at no more than hnswlib's median at .99 is asked, too; this one is below it")
    }
  }
}
