public import ArgumentParser
public import Episodic

extension StepSelection: ExpressibleByArgument {
  /// Reads `all`, `none` or `last:N`.
  public init?(argument: String) {
    switch argument {
    case "all": self = .all
    case "none": self = .none
    default:
      guard argument.hasPrefix("last:"), let count = Int(argument.dropFirst(5)), count > 0 else { return nil }
      self = .last(count)
    }
  }

  public var defaultValueDescription: String {
    switch self {
    case .all: "all"
    case .none: "none"
    case .last(let count): "last:\(count)"
    }
  }
}

/// Which steps of an episode JSON has.
enum StepsOption {
  static let help = ArgumentHelp(
    "Steps in the output of --json: all, none, or the last N as last:N; step_count says how many there are.",
    valueName: "steps")
}
