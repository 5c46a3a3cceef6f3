package import EpisodicMemory
import Foundation

/// The end of a log of Codex: what its hooks do not say is there, whether a command succeeded.
package enum CodexTail {
  /// Of the end of the file; a turn that wrote more is recorded from there on.
  private static let maximumBytes = 4 << 20

  /// The calls of a turn in their order.
  ///
  /// - Parameter turn: Its id.
  /// - Throws: `.unavailable` if the file cannot be read.
  package static func steps(path: String, turn: String) throws(MemoryError) -> [AgentStep] {
    var log = CodexLog(name: "")
    var counts = LogReport.Counts()
    for line in try lines(path) {
      guard case .record(let type, let record) = LogLine.record(Array(line), for: CodexLog.self) else { continue }
      // Of a turn that began before the part that is read, the first record with its id is a later one.
      log.read(record, type, &counts)
    }
    return log.finish(isGrowing: false).last { $0.metadata["source_id"] == .string(turn) }?.steps ?? []
  }

  private static func lines(_ path: String) throws(MemoryError) -> [ArraySlice<UInt8>] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw MemoryError(.unavailable, "cannot read \(path): \(String(cString: strerror(errno))); the turn has no steps")
    }
    defer { close(descriptor) }
    let size = lseek(descriptor, 0, SEEK_END)
    let start = max(0, size - off_t(maximumBytes))
    var bytes = [UInt8](repeating: 0, count: Int(clamping: min(size, off_t(maximumBytes))))
    var filled = 0
    while filled < bytes.count {
      let offset = start + off_t(filled)
      let got = bytes[filled...].withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, offset) }
      if got > 0 { filled += got } else if got == 0 || errno != EINTR { break }
    }
    let lines = bytes[..<filled].split(separator: UInt8(ascii: "\n"))
    // The first one may have lost its beginning.
    return start > 0 ? Array(lines.dropFirst()) : lines
  }
}
