import ArgumentParser
import Episodic

/// Which steps of an episode JSON has: `all`, `none`, or `last:N`.
enum StepsOption: ExpressibleByArgument, Equatable {
  case all, none
  case last(Int)

  init?(argument: String) {
    switch argument {
    case "all": self = .all
    case "none": self = .none
    default:
      guard argument.hasPrefix("last:"), let count = Int(argument.dropFirst(5)), count > 0 else { return nil }
      self = .last(count)
    }
  }

  static let help = ArgumentHelp(
    "Steps in the output of --json: all, none, or the last N as last:N; step_count says how many there are.",
    valueName: "steps")

  var defaultValueDescription: String {
    switch self {
    case .all: "all"
    case .none: "none"
    case .last(let count): "last:\(count)"
    }
  }
}

extension Episode {
  /// The form of export, with the steps that were asked for. If some are left out, `step_count` says how many there are,
  /// which an import refuses: it would lose the rest.
  func json(_ selection: StepsOption) -> JSON {
    let kept: Int
    switch selection {
    case .all: kept = steps.count
    case .none: kept = 0
    case .last(let count): kept = min(count, steps.count)
    }
    guard kept < steps.count else { return json }
    var part = self
    part.steps = Array(steps.suffix(kept))
    guard case .object(var members) = part.json else { return part.json }
    members["step_count"] = .integer(Int64(steps.count))
    return .object(members)
  }
}
