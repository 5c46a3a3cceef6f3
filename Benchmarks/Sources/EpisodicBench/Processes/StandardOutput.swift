import Foundation

/// Where a worker answers: at once, whatever the buffers of `print` would do.
enum StandardOutput {
  static func write(_ line: String) {
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
  }
}
