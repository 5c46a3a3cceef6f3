import ArgumentParser
import Episodic
import Foundation

struct Salvage: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "salvage",
    abstract: "Copies what is readable out of a damaged store into a new one, and lists what was lost.",
    discussion: """
      The damaged store is only read, with its log; end every process that has it open first. Rows are found page by page, \
      also where the way to them is broken, and come over only if they are whole. Use it when there is no backup, or for \
      what came after the last one. Exit 1 if something was lost.

      EXAMPLES:
        episodic salvage --to .episodic-new
        episodic salvage old/memory-2026-01-31.sqlite --to new --json | jq .losses
      """)

  @OptionGroup var store: StoreOptions

  @Argument(
    help: ArgumentHelp("Directory of the damaged store, or a database file; else that of --store.", valueName: "dir"))
  var damaged: String?

  @Option(help: ArgumentHelp("Directory of the new store, which must not exist.", valueName: "dir"))
  var to: String

  @OptionGroup var output: OutputOptions

  func validate() throws {
    if let damaged { try NonUTF8Arguments.refuse(damaged, as: "the store") }
    try NonUTF8Arguments.refuse(to, as: "--to")
  }

  func run() async throws {
    try StandardOutput.requireOpen()
    let report: SalvageReport
    do {
      defer { StandardError.endProgress() }
      report = try await Memory.salvage(
        from: damaged ?? store.path, to: to, audit: store.audit, key: store.key
      ) { progress in
        StandardError.progress("salvaging \(progress.stage): page \(progress.done) of \(progress.total)")
      }
    }
    if output.json {
      let data = try JSONEncoder().encode(report)
      StandardOutput.write(try JSON(text: String(decoding: data, as: UTF8.self)))
    } else {
      StandardOutput.write(Self.text(of: report))
    }
    guard report.isComplete, report.failedChecks.isEmpty else { throw ExitCode(1) }
  }

  // MARK: Text

  private static let shownLosses = 20

  private static func text(of report: SalvageReport) -> String {
    var table = Table([
      Table.Column("TABLE"), Table.Column("SALVAGED", isNumber: true), Table.Column("SET ASIDE", isNumber: true),
      Table.Column("REFUSED", isNumber: true), Table.Column("UNREADABLE", isNumber: true), Table.Column("COMPLETE"),
    ])
    for row in report.tables where row.salvaged + row.setAside + row.refused + row.unreadable > 0 || !row.isComplete {
      table.add([
        "\(row.name)", "\(row.salvaged)", "\(row.setAside)", "\(row.refused)", "\(row.unreadable)",
        row.isComplete ? "yes" : Table.Cell("unknown", .yellow),
      ])
    }
    var lines = ["salvaged \(report.source.onOneLine) into \(report.target.onOneLine)", table.text(width: nil)]
    if report.lostPages > 0 { lines.append("\(report.lostPages) of \(report.pages) pages are lost") }
    if report.unusedLogFrames > 0 {
      lines.append("\(report.unusedLogFrames) frames of the log were never committed, or are damaged")
    }
    lines += report.losses.prefix(shownLosses).map { "lost: \($0.table ?? "unknown"): \($0.reason.onOneLine)" }
    if report.lossCount > shownLosses { lines.append("and \(report.lossCount - shownLosses) more; --json lists them") }
    lines += report.failedChecks.map { "FAILED   \($0.inCommandTerms.onOneLine)" }
    return lines.joined(separator: "\n")
  }
}
