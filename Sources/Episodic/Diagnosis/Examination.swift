import EpisodicMemory
import Synchronization

/// Gathers what the parts of a diagnosis find.
final class Examination: Sendable {
  private struct State {
    var findings: [(code: FindingCode, finding: Diagnosis.Finding)] = []
    var observations: [Diagnosis.Observation] = []
  }

  let directory: StoreDirectory
  let options: DiagnosisOptions
  /// Called with what is looked at next.
  let progress: @Sendable (String) -> Void
  private let state = Mutex(State())

  init(
    _ directory: StoreDirectory, _ options: DiagnosisOptions, progress: @escaping @Sendable (String) -> Void = { _ in }
  ) {
    self.directory = directory
    self.options = options
    self.progress = progress
  }

  /// - Parameter meaning: What was found and what that means, without a stop.
  func found(_ code: FindingCode, _ subject: String, _ meaning: String) {
    let finding = Diagnosis.Finding(
      code: code.rawValue, severity: code.severity, subject: subject, meaning: meaning, remedy: code.remedy,
      isMendable: code.isMendable)
    state.withLock { $0.findings.append((code, finding)) }
  }

  func saw(_ name: String, _ value: String) {
    state.withLock { $0.observations.append(Diagnosis.Observation(name: name, value: value)) }
  }

  /// What was found so far.
  var codes: Set<FindingCode> { state.withLock { Set($0.findings.map(\.code)) } }

  func subjects(of code: FindingCode) -> [String] {
    state.withLock { $0.findings.filter { $0.code == code }.map(\.finding.subject) }
  }

  func diagnosis(of store: String, repairs: [String] = []) -> Diagnosis {
    state.withLock { state in
      let order = Diagnosis.Severity.allCases
      let sorted = state.findings.map(\.finding).enumerated().sorted { a, b in
        let ranks = [a, b].map { order.firstIndex(of: $0.element.severity) ?? 0 }
        return ranks[0] == ranks[1] ? a.offset < b.offset : ranks[0] > ranks[1]
      }
      return Diagnosis(
        store: store, findings: sorted.map(\.element), observations: state.observations, repairs: repairs)
    }
  }
}

extension Int64 {
  /// In the unit that fits: `58.1 GiB`.
  var asBytes: String {
    var (value, unit) = (Double(self), 0)
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"]
    while value >= 1024, unit < units.count - 1 {
      value /= 1024
      unit += 1
    }
    guard unit > 0 else { return "\(self) bytes" }
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10)\(tenths % 10 == 0 ? "" : ".\(tenths % 10)") \(units[unit])"
  }
}
