import ArgumentParser
import Episodic

/// An option with one value that is given twice: the parser takes the last one, and `forget --domain a --domain b` would do half of
/// what was meant.
enum RepeatedOptions {
  /// - Parameter command: The command that was parsed.
  /// - Throws: `.invalid`, naming the option.
  static func refuse(_ arguments: [String], of command: any ParsableCommand) throws(MemoryError) {
    var seen: Set<String> = []
    var repeated: [String] = []
    for argument in arguments.prefix(while: { $0 != "--" }) where argument.hasPrefix("--") {
      let name = String(argument.dropFirst(2).prefix { $0 != "=" })
      if !seen.insert(name).inserted, !repeated.contains(name) { repeated.append(name) }
    }
    // The description of the command costs milliseconds, and hardly any call needs it.
    guard !repeated.isEmpty else { return }
    let single = try singleOptions(of: type(of: command))
    guard let name = repeated.first(where: single.contains) else { return }
    throw MemoryError(.invalid, "--\(name) is given twice; give it once")
  }

  /// The long names of the options that take one value, without those that may be repeated.
  private static func singleOptions(of command: any ParsableCommand.Type) throws(MemoryError) -> Set<String> {
    let dump = try JSON(text: command._dumpHelp())
    guard case .array(let arguments)? = dump["command"]?["arguments"] else { return [] }
    var found: Set<String> = []
    for argument in arguments where argument["kind"] == "option" && argument["isRepeating"] != true {
      guard case .array(let names)? = argument["names"] else { continue }
      for name in names { if case .string(let text)? = name["name"] { found.insert(text) } }
    }
    return found
  }
}
