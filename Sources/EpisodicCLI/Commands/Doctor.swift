import ArgumentParser
import Episodic

struct Doctor: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Says what is wrong with a store and its surroundings, and what to do.",
    discussion: """
      Looks at the files, their rights, the disk, locks and stopped processes, backups, settings and the database, in \
      seconds; with --full at every row, cache entry and code of the index. Works on any store: damaged, newer, in use. \
      Without --repair nothing is changed.

      Exits with 0 if nothing was found but notes, with 1 if something was, and with 3 if the database is damaged.

      EXAMPLES:
        episodic doctor
        episodic doctor --full --repair
        episodic doctor --json | jq -r '.findings[] | .code'
      """)

  @OptionGroup var store: StoreOptions

  @Flag(help: "Read everything once, and compare cache and index with the database.")
  var full = false

  @Flag(help: "Do what is safe about what is found, and look again.")
  var repair = false

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() async throws {
    try StandardOutput.requireOpen()
    guard !store.path.isEmpty else { throw ValidationError("the store's directory is empty; name one with --store") }
    var options = DiagnosisOptions()
    options.depth = full ? .full : .quick
    options.busyTimeout = .seconds(store.busyTimeout)
    options.audit = store.audit
    let diagnosis = try await diagnosis(options)
    StandardOutput.write(json ? diagnosis.json.outputText : diagnosis.lines)
    if diagnosis.isDamaged { throw ExitCode(3) }
    if !diagnosis.isHealthy { throw ExitCode(1) }
  }

  private func diagnosis(_ options: DiagnosisOptions) async throws -> Diagnosis {
    defer { StandardError.endProgress() }
    let progress: @Sendable (String) -> Void = { StandardError.progress("looking at \($0)") }
    return repair
      ? try await Memory.repair(at: store.path, options: options, progress: progress)
      : try await Memory.diagnose(at: store.path, options: options, progress: progress)
  }
}

extension Diagnosis {
  fileprivate var lines: String {
    var lines: [String] = repairs.map { "repaired  \($0.onOneLine)" }
    for finding in findings {
      lines.append("\(finding.severity.word.padded(to: 8))  \(finding.code)  \(finding.subject.onOneLine)")
      lines.append("          \(finding.meaning.inCommandTerms.onOneLine)")
      let how = finding.isMendable ? "episodic doctor --repair: " : ""
      lines.append("          -> \(how)\(finding.remedy.inCommandTerms.onOneLine)")
    }
    if !findings.isEmpty { lines.append("") }
    let width = observations.map(\.name.count).max() ?? 0
    for observation in observations {
      lines.append("\(observation.name.padded(to: width)) \(observation.value.onOneLine)")
    }
    lines.append(summary)
    return lines.joined(separator: "\n")
  }

  private var summary: String {
    guard !findings.isEmpty else { return "ok: nothing was found" }
    let mendable = findings.count(where: \.isMendable)
    let count = findings.count == 1 ? "1 finding" : "\(findings.count) findings"
    guard mendable > 0 else { return isHealthy ? "ok: \(count), worth knowing" : count }
    let share = mendable == findings.count ? (mendable == 1 ? "it" : "them") : "\(mendable) of them"
    return "\(count); episodic doctor --repair mends \(share)"
  }

  fileprivate var json: JSON {
    [
      "store": .string(store), "healthy": .bool(isHealthy), "damaged": .bool(isDamaged),
      "findings": .array(
        findings.map { finding in
          [
            "code": .string(finding.code), "severity": .string(finding.severity.rawValue),
            "subject": .string(finding.subject), "meaning": .string(finding.meaning.inCommandTerms),
            "remedy": .string(finding.remedy), "mendable": .bool(finding.isMendable),
          ]
        }),
      "observations": .array(observations.map { ["name": .string($0.name), "value": .string($0.value)] }),
      "repairs": .array(repairs.map(JSON.string)),
    ]
  }
}

extension Diagnosis.Severity {
  fileprivate var word: String {
    switch self {
    case .note: "note"
    case .warning: "warning"
    case .failure: "FAILED"
    case .damage: "DAMAGED"
    }
  }
}
