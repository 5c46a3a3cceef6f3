import ArgumentParser
import Episodic

/// Which steps of an episode the output of `--json` has: `all`, `none` or `last:N`.
struct StepsOption: ExpressibleByArgument {
  static let help = ArgumentHelp(
    "Steps in the output of --json: all, none, or the last N as last:N; step_count says how many there are.",
    valueName: "steps")
  static let all = StepsOption(selection: .all)

  let selection: StepSelection

  private init(selection: StepSelection) { self.selection = selection }

  init?(argument: String) {
    switch argument {
    case "all": selection = .all
    case "none": selection = .none
    default:
      guard argument.hasPrefix("last:"), let count = Int(argument.dropFirst(5)), count > 0 else { return nil }
      selection = .last(count)
    }
  }

  var defaultValueDescription: String {
    switch selection {
    case .all: "all"
    case .none: "none"
    case .last(let count): "last:\(count)"
    }
  }
}
