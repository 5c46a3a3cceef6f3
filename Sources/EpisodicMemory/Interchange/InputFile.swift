/// A file to read, or standard input.
public enum InputFile: Hashable, Sendable, CustomStringConvertible {
  case file(String)
  case standardInput

  /// What a command line says: `-` is standard input.
  public init(argument: String) { self = argument == "-" ? .standardInput : .file(argument) }

  public var description: String {
    switch self {
    case .file(let path): path
    case .standardInput: "standard input"
    }
  }
}
