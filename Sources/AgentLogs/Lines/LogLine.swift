import EpisodicMemory

/// A line of a log, read as far as it is needed.
enum LogLine {
  case record(type: String, JSON.Object)
  /// Of a type that is not read.
  case other(type: String)
  case malformed

  /// - Parameter parser: Whose record types are read whole.
  static func record(_ line: [UInt8], for parser: (some LogParser).Type) -> LogLine {
    var type = ""
    if parser.discriminator.utf8CodeUnitCount > 0 {
      guard let values = LineMembers.values([parser.discriminator], in: line) else { return .malformed }
      type = values[0] ?? "without a type"
      guard parser.types.contains(type) else { return .other(type: type) }
    }
    do throws(MemoryError) {
      var scanner = try JSONScanner(line, repair: .applied)
      let value = try scanner.value()
      try scanner.end()
      guard let members = value.members else { return .malformed }
      return .record(type: type, members)
    } catch {
      // Counted; a log that is cut, or of another program, is no error of the reader.
      return .malformed
    }
  }
}
