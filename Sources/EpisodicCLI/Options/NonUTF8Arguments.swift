import ArgumentParser

/// Refuses arguments that are not UTF-8: the parser repairs them, and a repaired path, id or domain names another one (I8).
enum NonUTF8Arguments {
  /// As the parser returns them.
  private static let foreign: [String] = {
    let all = (1..<max(1, Int(CommandLine.argc))).compactMap { CommandLine.unsafeArgv[$0] }
    // The words of a command that is recorded are any bytes.
    return all.prefix { String(validatingCString: $0) != "--" }.filter { String(validatingCString: $0) == nil }
      .map { String(cString: $0) }
  }()

  /// Arguments as the parser returns them, and the values after `--option=`.
  private static let repaired: Set<String> = {
    Set(
      foreign + foreign.compactMap { text in text.firstIndex(of: "=").map { String(text[$0...].dropFirst()) } })
  }()

  /// - Throws: If any argument before `--` was repaired.
  static func refuseAll() throws {
    guard let first = foreign.first else { return }
    throw ValidationError("the argument \(first) is not UTF-8; convert it")
  }

  /// - Throws: If the path was repaired.
  static func refuse(_ path: String, as name: String) throws {
    guard repaired.contains(path) else { return }
    throw ValidationError("\(name) \(path) is not UTF-8; rename the file, link to it, or redirect it")
  }
}
