import Foundation
import ProcessSpawning
import TestSupport
import Testing

@Suite struct `A spawned process` {
  private let directory: TemporaryDirectory
  private var output: String { directory.file("output") }

  init() throws {
    directory = try TemporaryDirectory()
    try Data().write(to: URL(filePath: directory.file("output")))
  }

  /// Runs a script to its end with its output in a file.
  private func run(_ script: String, _ arguments: [[UInt8]] = [], _ prepare: (inout Spawn) -> Void = { _ in }) throws
    -> [UInt8]
  {
    var spawn = Spawn()
    spawn.open(output, O_WRONLY, as: STDOUT_FILENO)
    prepare(&spawn)
    let process = try spawn.start(Array("/bin/sh".utf8), ["sh", "-c", script, "sh"].map { Array($0.utf8) } + arguments)
    var status: Int32 = 0
    #expect(waitpid(process, &status, 0) == process && status == 0)
    return Array(try Data(contentsOf: URL(filePath: output)))
  }

  @Test func `gets arguments that are not UTF-8 unchanged`() throws {
    #expect(try run(#"printf %s "$1""#, [[0x63, 0xE9]]) == [0x63, 0xE9])
  }

  @Test func `has no standard stream that was closed`() throws {
    #expect(try run("cat 2>/dev/null || echo closed") { $0.close(STDIN_FILENO) } == Array("closed\n".utf8))
  }

  @Test func `is not started if the program is missing or may not be executed, with the errno of each`() throws {
    let file = directory.file("data")
    try Data().write(to: URL(filePath: file))
    for (path, number) in [(directory.file("missing"), ENOENT), (file, EACCES)] {
      var spawn = Spawn()
      do throws(Spawn.Failure) {
        _ = try spawn.start(Array(path.utf8), [Array(path.utf8)])
        Issue.record("\(path) was started")
      } catch {
        #expect(error.number == number)
      }
    }
  }
}
