import Episodic
import Foundation

/// The cards of the ledger beside the memory.
extension AnalyticsPage {
  /// Empty without a ledger.
  var ledgerCards: [String] {
    guard let ledger else { return [] }
    return [queueCard(ledger), taskDaysCard(ledger), taskCategoriesCard(ledger), errorsCard(ledger), costsCard(ledger)]
      .compactMap(\.self)
  }

  private func list(_ table: PageTable) -> String { "<div class=\"scroll\">\(table.html)</div>" }

  private func queueCard(_ ledger: LedgerFigures) -> String {
    let most = Double(max(1, ledger.queue.map(\.ready).max() ?? 1))
    var table = PageTable(["Priority", "Ready", "Delayed", "In progress", "Oldest"])
    for depth in ledger.queue {
      table.add(cells: [
        .init(depth.priority.name),
        .init(Shown.grouped(depth.ready), share: Double(depth.ready) / most, style: "accent"),
        .init(Shown.grouped(depth.delayed)), .init(Shown.grouped(depth.inProgress)),
        .init(depth.oldestMilliseconds.map(Shown.duration) ?? "–"),
      ])
    }
    let rate = ledger.pages.hitRate.map { "; pages were there \(Shown.percent($0)) of the time" } ?? ""
    return card("Ledger: queue", "Tasks that have not ended\(rate)", list(table))
  }

  private func taskDaysCard(_ ledger: LedgerFigures) -> String? {
    guard ledger.trend.contains(where: { $0.added + $0.completed + $0.failed + $0.cancelled > 0 }) else { return nil }
    let most = Double(max(1, ledger.trend.map(\.completed).max() ?? 1))
    var table = PageTable(["Day", "Added", "Completed", "Failed", "Success", "Mean time"])
    for day in ledger.trend {
      table.add(cells: [
        .init(labels.date(day.day)), .init(Shown.grouped(day.added)),
        .init(Shown.grouped(day.completed), share: Double(day.completed) / most, style: "completed"),
        .init(Shown.grouped(day.failed)), .init(Shown.percent(day.successRate)),
        .init(LedgerFigures.time(day.meanMilliseconds)),
      ])
    }
    return card("Ledger: tasks by day", "Of the last \(ledger.trend.count) days", list(table))
  }

  private func taskCategoriesCard(_ ledger: LedgerFigures) -> String? {
    guard let most = ledger.tasks.first?.count else { return nil }
    var table = PageTable(["Category", "Ended", "Success", "Complexity", "Mean time"])
    for category in ledger.tasks {
      table.add(cells: [
        .init(category.category?.rawValue ?? "–"),
        .init(Shown.grouped(category.count), share: Double(category.count) / Double(max(1, most)), style: "accent"),
        .init(Shown.percent(category.successRate)),
        .init(category.meanComplexity.map { String(format: "%.2f", $0) } ?? "–"),
        .init(LedgerFigures.time(category.meanMilliseconds)),
      ])
    }
    return card("Ledger: tasks by category", "Those that ended in 30 days", list(table))
  }

  private func errorsCard(_ ledger: LedgerFigures) -> String? {
    guard !ledger.errors.isEmpty else { return nil }
    var table = PageTable(["Type", "Errors", "Per hour"])
    for error in ledger.errors {
      table.add(cells: [
        .init(error.errorType ?? "–"), .init(Shown.grouped(error.count), share: error.share, style: "failed"),
        .init(String(format: "%.2f", error.perHour)),
      ])
    }
    return card("Ledger: errors", "Of 24 hours, by type", list(table))
  }

  private func costsCard(_ ledger: LedgerFigures) -> String? {
    guard !ledger.costs.isEmpty else { return nil }
    var table = PageTable(["Of", "Name", "Cost", "Count"], texts: [0, 1], widest: 1)
    for (kind, cost) in ledger.costs {
      table.add([kind, cost.name ?? "–", LedgerFigures.dollars(cost.cost), Shown.grouped(cost.count)])
    }
    return card("Ledger: cost", "Of 30 days, by model, agent and session", wide: true, list(table))
  }
}
