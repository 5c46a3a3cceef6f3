import Episodic
import Foundation

/// The reports of a ledger, each over its own window or all over one.
struct LedgerFigures: Encodable {
  let queue: [Ledger.QueueDepth]
  let tasks: [Ledger.CategoryReport]
  let trend: [Ledger.TaskDay]
  let errors: [Ledger.ErrorRate]
  let people: [Ledger.PersonErrors]
  let models: [Ledger.Cost]
  let agents: [Ledger.Cost]
  let sessions: [Ledger.Cost]
  let days: [Ledger.CostDay]
  let pages: Ledger.PageUse
  let orphans: [Ledger.Orphans]
  let tables: [Ledger.TableSize]

  enum CodingKeys: String, CodingKey {
    case queue
    case tasks = "tasks_by_category"
    case trend = "task_trend"
    case errors = "errors_by_type"
    case people = "errors_by_person"
    case models = "cost_by_model"
    case agents = "cost_by_agent"
    case sessions = "cost_by_session"
    case days = "cost_by_day"
    case pages, orphans, tables
  }

  /// - Parameter window: `nil`: 24 hours for errors and pages, 7 days for the trend, 30 days for the others.
  init(_ ledger: Ledger, over window: Duration?, in zone: TimeZone) async throws {
    let (short, long) = (window ?? .seconds(86_400), window ?? .seconds(30 * 86_400))
    let count = window.map { max(1, Int(min(3660, ($0.components.seconds + 86_399) / 86_400))) }
    queue = try await ledger.queueDepth()
    tasks = try await ledger.categoryReport(over: long)
    trend = try await ledger.taskTrend(days: count ?? 7, in: zone)
    errors = try await ledger.errorRates(over: short)
    people = try await ledger.errorsByPerson(over: short, limit: 10)
    models = try await ledger.costs(by: .model, over: long, limit: 10)
    agents = try await ledger.costs(by: .agent, over: long, limit: 10)
    sessions = try await ledger.costs(by: .session, over: long, limit: 10)
    days = try await ledger.costTrend(days: count ?? 30, in: zone)
    pages = try await ledger.pageUse(over: short)
    orphans = try await ledger.orphans()
    tables = try await ledger.tableSizes()
  }

  /// Costs by model, agent and session, with the kind of each name.
  var costs: [(kind: String, cost: Ledger.Cost)] {
    models.map { ("model", $0) } + agents.map { ("agent", $0) } + sessions.map { ("session", $0) }
  }

  /// Micro-dollars as dollars.
  static func dollars(_ cost: Int64) -> String {
    let parts = cost.magnitude.quotientAndRemainder(dividingBy: 1_000_000)
    let fraction = String(parts.remainder)
    return "$\(parts.quotient)." + String(repeating: "0", count: 6 - fraction.count) + fraction
  }

  static func time(_ milliseconds: Double?) -> String {
    milliseconds.flatMap { Int64(exactly: $0.rounded()) }.map(Shown.duration) ?? "–"
  }
}

/// The reports of a ledger as tables of text, each under its name; those without rows are left out.
struct LedgerFiguresText {
  let figures: LedgerFigures
  let zone: TimeZone
  let width: Int?

  var text: String {
    [queue, tasks, trend, errors, people, costs, days, pages, orphans, tables].compactMap(\.self)
      .joined(separator: "\n\n")
  }

  private func section(_ name: String, _ columns: [Table.Column], _ rows: [[String]]) -> String? {
    guard !rows.isEmpty else { return nil }
    var table = Table(columns)
    for row in rows { table.add(row.map { Table.Cell($0) }) }
    return name + "\n" + table.text(width: width)
  }

  private func day(_ time: Timestamp) -> String {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = zone
    let parts = calendar.dateComponents([.year, .month, .day], from: time.date)
    func padded(_ number: Int?) -> String {
      let text = String(number ?? 0)
      return text.count < 2 ? "0" + text : text
    }
    return "\(parts.year ?? 0)-\(padded(parts.month))-\(padded(parts.day))"
  }

  private var queue: String? {
    section(
      "queue",
      [
        .init("PRIORITY"), .init("READY", isNumber: true), .init("DELAYED", isNumber: true, rank: 1),
        .init("IN PROGRESS", isNumber: true, rank: 1), .init("OLDEST", isNumber: true),
      ],
      figures.queue.map {
        [
          $0.priority.name, "\($0.ready)", "\($0.delayed)", "\($0.inProgress)",
          $0.oldestMilliseconds.map(Shown.duration) ?? "–",
        ]
      })
  }

  private var tasks: String? {
    section(
      "tasks by category",
      [
        .init("CATEGORY", isText: true), .init("ENDED", isNumber: true), .init("SUCCESS", isNumber: true),
        .init("COMPLEXITY", isNumber: true, rank: 2), .init("TIME", isNumber: true, rank: 1),
      ],
      figures.tasks.map {
        [
          $0.category?.rawValue ?? "–", "\($0.count)", Shown.percent($0.successRate),
          $0.meanComplexity.map { String(format: "%.2f", $0) } ?? "–", LedgerFigures.time($0.meanMilliseconds),
        ]
      })
  }

  private var trend: String? {
    section(
      "tasks by day",
      [
        .init("DAY"), .init("ADDED", isNumber: true), .init("COMPLETED", isNumber: true),
        .init("FAILED", isNumber: true), .init("CANCELLED", isNumber: true, rank: 2),
        .init("SUCCESS", isNumber: true, rank: 1), .init("TIME", isNumber: true, rank: 3),
      ],
      figures.trend.map {
        [
          day($0.day), "\($0.added)", "\($0.completed)", "\($0.failed)", "\($0.cancelled)",
          Shown.percent($0.successRate), LedgerFigures.time($0.meanMilliseconds),
        ]
      })
  }

  private var errors: String? {
    section(
      "errors by type",
      [
        .init("TYPE", isText: true), .init("ERRORS", isNumber: true), .init("SHARE", isNumber: true),
        .init("PER HOUR", isNumber: true, rank: 1),
      ],
      figures.errors.map {
        [$0.errorType ?? "–", "\($0.count)", Shown.percent($0.share), String(format: "%.2f", $0.perHour)]
      })
  }

  private var people: String? {
    section(
      "errors by person",
      [.init("PERSON", isText: true), .init("ERRORS", isNumber: true), .init("PER HOUR", isNumber: true, rank: 1)],
      figures.people.map { [$0.handle, "\($0.count)", String(format: "%.2f", $0.perHour)] })
  }

  private var costs: String? {
    section(
      "cost",
      [
        .init("OF"), .init("NAME", isText: true), .init("COST", isNumber: true),
        .init("COUNT", isNumber: true, rank: 1),
        .init("TOKENS", isNumber: true, rank: 2),
      ],
      figures.costs.map { kind, cost in
        [
          kind, cost.name ?? "–", LedgerFigures.dollars(cost.cost), "\(cost.count)", cost.tokens.map { "\($0)" } ?? "–",
        ]
      })
  }

  /// Days on which nothing was spent are left out.
  private var days: String? {
    section(
      "cost by day",
      [.init("DAY"), .init("COST", isNumber: true), .init("PROMPTS", isNumber: true), .init("TOKENS", isNumber: true)],
      figures.days.filter { $0.prompts > 0 || $0.cost > 0 || $0.tokens > 0 }.map {
        [day($0.day), LedgerFigures.dollars($0.cost), "\($0.prompts)", "\($0.tokens)"]
      })
  }

  private var pages: String? {
    let pages = figures.pages
    guard pages.pages > 0 || pages.hitRate != nil else { return nil }
    return "pages     \(pages.pages), \(Shown.bytes(pages.bytes)); \(pages.hits) hits, \(pages.misses) misses, rate "
      + Shown.percent(pages.hitRate)
  }

  private var orphans: String? {
    section(
      "orphans", [.init("KIND"), .init("ROWS", isNumber: true), .init("FIRST", isText: true)],
      figures.orphans.filter { $0.count > 0 }.map {
        [$0.kind.rawValue, "\($0.count)", $0.examples.joined(separator: ", ")]
      })
  }

  private var tables: String? {
    section(
      "tables", [.init("TABLE"), .init("ROWS", isNumber: true)],
      figures.tables.filter { $0.rows > 0 }.map { [$0.name, "\($0.rows)"] })
  }
}
