import ArgumentParser

/// Refuses paths among the arguments that are not UTF-8: the parser repairs them, and a repaired path names another file.
enum NonUTF8Arguments {
  /// Arguments as the parser returns them, and the values after `--option=`.
  private static let repaired: Set<String> = {
    let all = (1..<max(1, Int(CommandLine.argc))).compactMap { CommandLine.unsafeArgv[$0] }
    let foreign = all.filter { String(validatingCString: $0) == nil }.map { String(cString: $0) }
    return Set(
      foreign + foreign.compactMap { text in text.firstIndex(of: "=").map { String(text[$0...].dropFirst()) } })
  }()

  /// - Throws: If the path was repaired.
  static func refuse(_ path: String, as name: String) throws {
    guard repaired.contains(path) else { return }
    throw ValidationError("\(name) \(path) is not UTF-8; rename the file, link to it, or redirect it")
  }
}
