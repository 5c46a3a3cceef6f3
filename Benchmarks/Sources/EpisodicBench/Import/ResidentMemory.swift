import Foundation
import Synchronization

/// Samples the memory of this process from `init` to `finish`. Linux only: it reads `/proc/self`.
final class ResidentMemory: Sendable {
  /// Peaks in MiB.
  struct Peak {
    var resident = 0.0
    var allocated = 0.0
    var mapped = 0.0
  }

  private let state = Mutex((peak: Peak(), isOver: false))

  init() throws {
    // Resets the kernel's peak.
    guard let file = FileHandle(forWritingAtPath: "/proc/self/clear_refs") else {
      throw BenchError("/proc/self/clear_refs cannot be written; this benchmark needs Linux")
    }
    try file.write(contentsOf: Data("5".utf8))
    try file.close()
    Thread.detachNewThread { [self] in
      while !state.withLock(\.isOver) {
        if let now = try? Self.sample() {
          state.withLock { state in
            state.peak.allocated = max(state.peak.allocated, now["RssAnon"] ?? 0)
            state.peak.mapped = max(state.peak.mapped, now["RssFile"] ?? 0)
          }
        }
        usleep(20_000)
      }
    }
  }

  func finish() throws -> Peak {
    let last = try Self.sample()
    return state.withLock { state in
      state.isOver = true
      state.peak.resident = last["VmHWM"] ?? 0
      return state.peak
    }
  }

  /// The lines of the status of a process that are in kB, in MiB.
  static func sample(of process: String = "self") throws -> [String: Double] {
    // Read to its end: its size is reported as 0.
    guard let file = FileHandle(forReadingAtPath: "/proc/\(process)/status") else {
      throw BenchError("/proc/\(process)/status cannot be read; this benchmark needs Linux")
    }
    let status = String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
    var sizes: [String: Double] = [:]
    for line in status.split(separator: "\n") where line.hasSuffix(" kB") {
      let words = line.split(whereSeparator: { $0 == ":" || $0 == "\t" || $0 == " " })
      if words.count == 3, let kilobytes = Double(words[1]) { sizes[String(words[0])] = kilobytes / 1024 }
    }
    return sizes
  }
}
