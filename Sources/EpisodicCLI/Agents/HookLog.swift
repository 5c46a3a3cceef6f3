import Episodic
import Foundation
import Logging

/// The file `hook.log` of a store: what went wrong in a hook, which prints nothing.
struct HookLog: Sendable {
  static let name = "hook.log"
  /// Beyond it the file begins again.
  private static let maximumBytes: Int64 = 1 << 20

  /// `nil` if no store is named.
  private let path: String?

  init(store: String) { path = store.isEmpty ? nil : store + "/" + Self.name }

  /// Adds a line. Without a directory there is nowhere to write to, and nothing is written.
  func write(_ message: String) {
    guard let path else { return }
    var status = stat()
    let isFull = stat(path, &status) == 0 && Int64(status.st_size) > Self.maximumBytes
    let flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | (isFull ? O_TRUNC : 0)
    let descriptor = open(path, flags, 0o600)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    _ = writeBytes(Array("\(Timestamp(Date())) \(message.inCommandTerms.onOneLine)\n".utf8), to: descriptor)
  }

  /// A logger of the library that writes here and not to standard error.
  var logger: Logger { Logger(label: "episodic.hook") { _ in Handler(file: self) } }

  /// Ends the process after a time: what was committed stays, and the agent goes on.
  static func giveUp(after limit: Duration, _ log: HookLog) {
    DispatchQueue.global(qos: .userInteractive).asyncAfter(deadline: .now() + .milliseconds(Int(limit.milliseconds))) {
      log.write("gave up after \(limit.milliseconds) ms; another process may hold a lock of the store: see doctor")
      _exit(0)
    }
  }

  private struct Handler: LogHandler {
    let file: HookLog
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.warning

    init(file: HookLog) { self.file = file }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      let notes = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }.map { " \($0)=\($1)" }
      file.write("\(event.level): \(event.message)\(notes.joined())")
    }
  }
}
