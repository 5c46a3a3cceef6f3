import ArgumentParser
import Episodic
import Foundation

/// Where the report of a recording is written: to a descriptor or a file of its own, so that standard output has the
/// command's bytes and no others.
struct ReportOptions: ParsableArguments {
  @Flag(help: "Print what was recorded as one JSON object, after the command's output.")
  var json = false

  @Option(help: ArgumentHelp("Write the JSON object into this file instead.", valueName: "file"))
  var jsonFile: String?

  @Option(help: ArgumentHelp("Write the JSON object to this open descriptor instead.", valueName: "n"))
  var jsonFd: Int32?

  func validate() throws {
    guard [json, jsonFile != nil, jsonFd != nil].count(where: { $0 }) <= 1 else {
      throw ValidationError("--json, --json-file and --json-fd exclude each other; give one")
    }
    if let jsonFile { try NonUTF8Arguments.refuse(jsonFile, as: "--json-file") }
    if let jsonFd, jsonFd < 0 { throw ValidationError("--json-fd is \(jsonFd); give the number of an open descriptor") }
  }

  /// The descriptor to write to, before the command runs, so that it does not run in vain; `nil` for no JSON. The command
  /// does not inherit it.
  ///
  /// - Throws: `.invalid` if the file cannot be made, or the descriptor is not open for writing.
  func open() throws(MemoryError) -> Int32? {
    if json { return STDOUT_FILENO }
    if let jsonFd {
      let flags = fcntl(jsonFd, F_GETFL)
      guard flags != -1, flags & O_ACCMODE != O_RDONLY else {
        throw MemoryError(
          .invalid, "--json-fd is \(jsonFd), which is not open for writing; open it as in 3>report.json")
      }
      if jsonFd > STDERR_FILENO { _ = fcntl(jsonFd, F_SETFD, FD_CLOEXEC) }
      return jsonFd
    }
    guard let jsonFile else { return nil }
    let descriptor = Foundation.open(jsonFile, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      throw MemoryError(.invalid, "cannot make \(jsonFile): \(String(cString: strerror(errno))); name another file")
    }
    return descriptor
  }
}
