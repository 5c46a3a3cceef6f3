import Episodic
import Foundation
import Logging

/// Results.
enum StandardOutput {
  static func write(_ text: String) { writeLine(text, to: STDOUT_FILENO) }

  /// - Throws: `.unavailable` if it was closed, or is open for reading only.
  static func requireOpen() throws(MemoryError) {
    let flags = fcntl(STDOUT_FILENO, F_GETFL)
    guard flags == -1 || flags & O_ACCMODE == O_RDONLY else { return }
    throw MemoryError(.unavailable, "standard output is closed; redirect it to a file or a terminal")
  }

  /// One object on one line.
  static func write(_ json: JSON) { write(json.outputText) }

  static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

  /// Columns to fit: of the terminal, 80 if it does not say; elsewhere `COLUMNS` if it is set, otherwise `nil` for no limit.
  static var width: Int? {
    let variable = getenv("COLUMNS").flatMap { Int(String(cString: $0)) }.flatMap { $0 > 20 ? $0 : nil }
    guard isTerminal else { return variable }
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 20 else { return variable ?? 80 }
    return Int(size.ws_col)
  }
}

/// Errors, notes, progress.
enum StandardError {
  static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

  static func write(_ text: String) { writeLine(text, to: STDERR_FILENO) }

  /// Writes without a line end.
  static func ask(_ text: String) { _ = writeBytes(Array(text.terminalSafe.utf8), to: STDERR_FILENO) }

  /// Shows how far a long command is; only on a terminal.
  static func progress(_ text: String) {
    if isTerminal { rewrite(text.onOneLine) }
  }

  /// Erases what `progress` showed.
  static func endProgress() {
    if isTerminal { rewrite("") }
  }

  /// Replaces the current line of a terminal; an empty text erases it.
  static func rewrite(_ text: String) { _ = writeBytes(Array("\r\u{1B}[K\(text)".utf8), to: STDERR_FILENO) }
}

/// Writes all bytes. Returns `false`, with `errno`, if the reader is gone or the device is full.
func writeBytes(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
  var done = 0
  while done < bytes.count {
    let written = bytes[done...].withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
    if written >= 0 {
      done += written
    } else if errno != EINTR {
      return false
    }
  }
  return true
}

private func writeLine(_ text: String, to descriptor: Int32) {
  guard !writeBytes(Array("\(text)\n".utf8), to: descriptor), descriptor == STDOUT_FILENO else { return }
  let reason = String(cString: strerror(errno))
  _ = writeBytes(Array("episodic: cannot write standard output: \(reason)\n".utf8), to: STDERR_FILENO)
  exit(3)
}

/// Writes the library's log messages to standard error, each on one line without control characters.
struct StandardErrorLog: LogHandler {
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.info

  init(label: String) {}

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    // For people: not what the message has already, nor the name that programs know the event by.
    let message = "\(event.message)"
    let notes = metadata.merging(event.metadata ?? [:]) { $1 }.filter { $0 != "event" && !message.contains("\($1)") }
      .sorted { $0.key < $1.key }.map { " \($0)=\($1)" }
    StandardError.write("episodic: \(event.level): \(event.message)\(notes.joined())".onOneLine)
  }
}
