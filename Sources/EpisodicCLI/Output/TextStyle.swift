import Episodic
import Foundation

/// How a text is set off on a terminal.
enum TextStyle: String {
  case bold = "1"
  case faint = "2"
  case red = "31"
  case green = "32"
  case yellow = "33"

  /// The text, in this style if the output takes colours.
  func applied(to text: String) -> String {
    Self.isEnabled && !text.isEmpty ? "\u{1B}[\(rawValue)m\(text)\u{1B}[0m" : text
  }

  /// `NO_COLOR` (no-color.org) comes before `CLICOLOR_FORCE`; without either a terminal gets colours unless it is dumb.
  static let isEnabled: Bool = {
    if let value = getenv("NO_COLOR"), value[0] != 0 { return false }
    if let value = getenv("CLICOLOR_FORCE"), value[0] != 0, String(cString: value) != "0" { return true }
    guard StandardOutput.isTerminal, let terminal = getenv("TERM"), terminal[0] != 0 else { return false }
    return String(cString: terminal) != "dumb"
  }()
}

extension Episode.Status {
  var style: TextStyle {
    switch self {
    case .active: .yellow
    case .completed: .green
    case .failed: .red
    case .archived: .faint
    }
  }
}
