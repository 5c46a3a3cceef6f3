import CRawSQLite
import Episodic
import Foundation

/// Imports large logs of coding agents in a process of its own, and measures it.
struct LogsBenchmark {
  private static let leastSpeed = 50.0
  private static let mostMemory = 100.0

  let megabytes: Int
  let program: String
  let python: String
  let seed: UInt64
  let scratch: ScratchDirectory

  func run() throws -> Report {
    let progress = Progress()
    defer { progress.clear() }
    let folder = scratch.path(of: "logs")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    var logs = SyntheticLogs(seed: seed)
    try logs.write(bytes: megabytes * 1_000_000, to: folder) {
      progress.show("writing", $0 / 1_000_000, of: megabytes)
    }
    let contents = logs.contents
    let probe = try SyncProbe(in: scratch)
    for _ in 0..<20 { try probe.sample() }

    let reading = try read(folder)
    let parsing = try measure("/usr/bin/env", [python, "-c", Self.parser, folder])
    let first = try importLogs(folder)
    let second = try importLogs(folder)

    var report = Report(
      benchmark: "logs", parameters: ["megabytes": megabytes], machine: Machine(durability: "full", sync: probe.series),
      rows: [])
    let size = Double(contents.bytes) / 1e6
    func add(_ name: String, _ run: MeasuredProcess) {
      report.figures += [
        Figure(name, size / run.seconds, "MB/s"), Figure("\(name), peak", run.residentMB, "MB resident"),
        Figure("\(name), allocated", run.allocatedMB, "MB"),
      ]
    }
    add("import", first)
    add("import once more", second)
    if parsing.status == 0 { add("json.loads of Python", parsing) }
    report.figures.append(Figure("reading the bytes", size / reading, "MB/s"))
    report.notes = [
      "\(contents.files.grouped) logs, \(contents.lines.grouped) lines, \(contents.episodes.grouped) episodes, "
        + "\(contents.steps.grouped) steps"
    ]
    if parsing.status != 0 { report.notes.append("Python was left out: \(python) ended with \(parsing.status)") }
    report.failure = try Self.failure(first, second, contents, speed: size / first.seconds)
    return report
  }

  private static func failure(
    _ first: MeasuredProcess, _ second: MeasuredProcess, _ contents: SyntheticLogs.Contents, speed: Double
  ) throws -> String? {
    guard first.status == 0, second.status == 0 else {
      return "the import ended with \(first.status), \(second.status)"
    }
    let (new, again) = (try JSON(text: first.output), try JSON(text: second.output))
    guard new["added"] == .integer(Int64(contents.episodes)), new["steps"] == .integer(Int64(contents.steps)),
      new["bad_lines"] == 0, again["unchanged"] == new["added"]
    else {
      return "\(contents.episodes) episodes with \(contents.steps) steps were written; the import said \(first.output)"
    }
    if speed < leastSpeed { return "\(Int(speed)) MB/s are less than the \(Int(leastSpeed)) asked" }
    if first.residentMB > mostMemory {
      return "\(Int(first.residentMB)) MB resident are more than the \(Int(mostMemory)) asked"
    }
    return nil
  }

  private func importLogs(_ folder: String) throws -> MeasuredProcess {
    try measure(program, ["import", "--format", "auto", "--json", "--store", scratch.path(of: "store"), folder])
  }

  private func measure(_ program: String, _ arguments: [String]) throws -> MeasuredProcess {
    try MeasuredProcess(program, arguments, output: scratch.path(of: "output"))
  }

  private static let parser = """
    import json, os, sys
    for name in sorted(os.listdir(sys.argv[1])):
        with open(os.path.join(sys.argv[1], name), "rb") as file:
            for line in file:
                json.loads(line)
    """

  /// - Returns: Seconds.
  private func read(_ folder: String) throws -> Double {
    let start = raw_now()
    var lines = 0
    for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
      guard let file = FileHandle(forReadingAtPath: "\(folder)/\(name)") else { throw BenchError("\(name) is gone") }
      while let piece = try file.read(upToCount: 1 << 20), !piece.isEmpty {
        lines += piece.withUnsafeBytes { bytes in bytes.count { $0 == UInt8(ascii: "\n") } }
      }
      try file.close()
    }
    guard lines > 0 else { throw BenchError("the logs have no lines") }
    return Double(raw_now() - start) / 1e9
  }
}

/// A program that ran to its end, with its time and its memory.
private struct MeasuredProcess {
  let status: Int32
  let output: String
  let seconds: Double
  private(set) var residentMB = 0.0
  private(set) var allocatedMB = 0.0

  init(_ program: String, _ arguments: [String], output path: String) throws {
    let file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    let nothing = open("/dev/null", O_RDONLY | O_CLOEXEC)
    guard file >= 0, nothing >= 0 else { throw BenchError("\(path) cannot be written") }
    defer {
      close(file)
      close(nothing)
    }
    let start = raw_now()
    let child = try WorkerProcess.spawn(program, arguments, input: nothing, output: file)
    var ended: Int32 = 0
    // The kernel's peak counts from the start of the program, but is gone with it.
    while waitpid(child, &ended, WNOHANG) == 0 {
      if let sizes = try? ResidentMemory.sample(of: "\(child)") {
        residentMB = max(residentMB, (sizes["VmHWM"] ?? 0) * 1.048576)
        allocatedMB = max(allocatedMB, (sizes["RssAnon"] ?? 0) * 1.048576)
      }
      usleep(10_000)
    }
    seconds = Double(raw_now() - start) / 1e9
    status = ended
    output = try String(contentsOfFile: path, encoding: .utf8).trimmingCharacters(in: .newlines)
  }
}
