import Foundation
import Testing

@testable import EpisodicCLI

@Suite struct `Record on a pseudo-terminal` {
  let episodic: CommandLineTool

  init() throws { episodic = try CommandLineTool() }

  private static let tty = "episodic record --task t --domain d --episode e --exit-status --tty --"

  @Test func `all standard streams of the command are a terminal of its own`() throws {
    let result = try episodic.shell(
      "\(Self.tty) sh -c 'test -t 0 && test -t 1 && test -t 2 && : >/dev/tty && echo yes'")
    #expect(result.status == 0 && result.output == "yes\r\n", "\(result)")
    #expect(try episodic.lastStep(of: "e")["result"] as? String == "yes\n")
  }

  @Test(arguments: [("exit 7", 7), ("kill -9 $$", 137), ("true", 0), ("kill -INT $$", 130)])
  func `the exit status is that of the command`(script: String, status: Int32) throws {
    #expect(try episodic.shell("\(Self.tty) sh -c '\(script)'").status == status)
  }

  @Test func `what is on standard input is typed, and its end ends the command`() throws {
    let result = try episodic.shell("\(Self.tty) sh -c 'stty -echo; echo ready; cat'", input: "hello\nworld\n")
    #expect(result.status == 0 && result.output.contains("hello\r\nworld\r\n"), "\(result)")
  }

  @Test func `a large output arrives whole`() throws {
    let result = try episodic.shell("\(Self.tty) seq 1 100000 </dev/null | tr -d '\\r' | cksum; seq 1 100000 | cksum")
    let sums = result.output.split(separator: "\n")
    #expect(sums.count == 2 && sums[0] == sums[1], "\(result)")
  }

  /// The outer recording is the terminal of the inner one.
  @Test func `the size is passed on, also when it changes`() throws {
    let inner = "episodic record --task t --domain d --tty --no-environment --"
    let result = try episodic.shell(
      """
      \(Self.tty) sh -c 'stty size; stty rows 33 cols 99; \(inner) stty size' </dev/null
      """)
    #expect(result.output.contains("24 80") && result.output.contains("33 99"), "\(result)")
  }

  @Test(arguments: ["true", "false", "sleep 30", "nosuchprogram"])
  func `the terminal has its settings again however the command ends`(command: String) throws {
    let inner = "episodic record --task t --domain d --tty --"
    let script = """
      stty -g > before
      \(inner) \(command) </dev/tty & child=$!
      [ "\(command)" = "sleep 30" ] && { sleep 1; kill -TERM $child; }
      wait $child; stty -g > after; cmp before after && echo same
      """
    let file = try episodic.file("script.sh", script)
    let result = try episodic.shell("\(Self.tty) sh '\(file)' </dev/null")
    #expect(result.output.contains("same\r\n"), "\(result)")
  }

  @Test func `a program left in the background does not hold record up`() throws {
    let result = try episodic.shell("\(Self.tty) sh -c '(trap \"\" HUP; sleep 30) & echo done' </dev/null")
    #expect(result.output.contains("done") && result.status == 0, "\(result)")
  }

  @Test(arguments: [
    ("plain\r\n", "plain\n"), ("\u{1B}[31mred\u{1B}[0m\r\n", "red\n"), ("\u{1B}]0;title\u{07}x\n", "x\n"),
    ("\u{1B}]0;title\u{1B}\\x\n", "x\n"), ("10 %\r20 %\r\n", "10 %\n20 %\n"), ("\u{1B}(Bé\t\u{08}\n", "é\t\n"),
    ("\u{1B}[2J\u{1B}[1;1Hhome", "home"),
  ])
  func `what is kept is the text`(printed: String, text: String) {
    for size in [1, 3, 1000] {
      var filter = TerminalOutputFilter()
      let bytes = Array(printed.utf8)
      let kept = stride(from: 0, to: bytes.count, by: size).flatMap {
        filter.text(of: Array(bytes[$0..<min($0 + size, bytes.count)]))
      }
      #expect(String(decoding: kept, as: UTF8.self) == text)
    }
  }
}
