public import ArgumentParser
public import Episodic
import Foundation

/// Where what is recorded comes from.
struct ProvenanceOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Where it comes from: \(Provenance.Source.allCases.map(\.rawValue).joined(separator: ", ")).", valueName: "kind"))
  var source: Provenance.Source?

  @Option(help: ArgumentHelp("Which page, file or server it comes from.", valueName: "id"))
  var sourceId: String?

  @Option(help: ArgumentHelp("How far it is trusted, if not as its source is.", valueName: "level"))
  var trust: Trust?

  var provenance: Provenance { Provenance(source, id: sourceId, trust: trust) }
  var isEmpty: Bool { provenance == Provenance() }
}

/// Who decides.
struct DeciderOptions: ParsableArguments {
  static let variable = "EPISODIC_ACTOR"

  @Option(help: ArgumentHelp("Who decides; \(variable) of the environment by default.", valueName: "name"))
  var by: String?

  @Option(help: ArgumentHelp("Why; kept with the decision.", valueName: "text"))
  var reason: String?

  func actor() throws(MemoryError) -> String {
    let named = by ?? ProcessInfo.processInfo.environment[Self.variable] ?? ""
    guard !named.isEmpty else {
      throw MemoryError(.invalid, "nobody is named who decides; give --by NAME, or set \(Self.variable)")
    }
    return named
  }
}

extension Provenance {
  /// Takes the members of an episode or a step.
  init(members object: inout InputObject) throws(MemoryError) {
    self.init(
      try Source(member: "source", of: &object), id: try object.text("source_id"), actor: try object.text("actor"),
      trust: try Trust(member: "trust", of: &object))
  }
}

extension Provenance.Source: ExpressibleByArgument {}
extension Trust: ExpressibleByArgument {}
