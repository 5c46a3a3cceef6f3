package import Logging
import Synchronization

/// Keeps what is logged at a level or above, for tests that count or search it.
package final class LogRecorder: Sendable {
  private let lines = Mutex<[String]>([])
  private let level: Logger.Level
  private let hasMetadata: Bool

  /// - Parameter withMetadata: Whether a line is followed by its metadata and that of its logger.
  package init(from level: Logger.Level = .warning, withMetadata: Bool = false) {
    (self.level, hasMetadata) = (level, withMetadata)
  }

  package var all: [String] { lines.withLock { $0 } }

  package var logger: Logger {
    Logger(label: "test") { _ in Handler(recorder: self, logLevel: self.level) }
  }

  private struct Handler: LogHandler {
    let recorder: LogRecorder
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      let metadata = recorder.hasMetadata ? " \(metadata) \(event.metadata ?? [:])" : ""
      recorder.lines.withLock { $0.append("\(event.message)\(metadata)") }
    }
  }
}
