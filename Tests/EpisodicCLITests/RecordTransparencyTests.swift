import Foundation
import TestSupport
import Testing

/// Compares what a command observes under `record` with what it observes without.
@Suite struct `Record does not change the command` {
  let episodic: CommandLineTool

  init() throws { episodic = try CommandLineTool() }

  private static let record =
    "\(Child.products.path(percentEncoded: false))/episodic record --task t --domain d --episode e --exit-status --"

  /// Each is run twice in a shell, once with `env` in place of `$record`, and must print the same and exit with the same
  /// status.
  @Test(arguments: [
    "$record printf 'a\\351\\000b\\n' | od -An -tx1",
    "touch \"$(printf 'caf\\351.txt')\"; $record ls \"$(printf 'caf\\351.txt')\" | od -An -tx1",
    "X=$(printf '\\351') $record sh -c 'printf %s \"$X\" | od -An -tx1'",
    "$record sh -c 'echo out; echo error >&2; exit 7'", "$record sh -c 'kill -KILL $$'", "$record false",
    "printf 'from outside' | $record cat", "$record cat <&-", "$record sh -c 'echo lost' >&-",
    "$record sh -c 'echo kept; echo lost >&2' 2>&-",
    // Of those that the tests have open at that moment, some are inherited: they are above 9.
    "$record sh -c 'ls /proc/self/fd | grep -x [0-9]' 5</dev/null",
    "umask 027; $record sh -c umask",
    "$record grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status",
    "trap '' INT TERM PIPE; $record grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status",
    "trap '' INT; $record sh -c 'kill -INT $$; echo survived'", "$record nosuchprogram 2>/dev/null",
    "$record '' 2>/dev/null",
    "$record / 2>/dev/null", "$record /etc/passwd 2>/dev/null", "$record /etc/passwd/x 2>/dev/null",
    "echo '#!/nowhere/sh' > x; chmod 755 x; $record ./x 2>/dev/null",
    "echo 'echo \"$0\" \"$1\"; exit 4' > x; chmod 755 x; $record ./x arg",
    "mkdir bin; echo 'echo \"$0\" \"$1\"' > bin/x; chmod 755 bin/x; PATH=\"$PWD/bin:$PATH\" $record x arg",
    "mkdir bin; echo 'echo 1' > bin/x; PATH=\"$PWD/bin:$PATH\" $record x 2>/dev/null",
    ": > x; chmod 755 x; $record ./x",
    "(unset PATH; /bin/sh -c \"$record echo found\")",
  ]) func `a command does the same and ends the same`(script: String) throws {
    let plain = try run(script, record: "env")
    let recorded = try run(script, record: Self.record)
    #expect(recorded.output == plain.output, "\(recorded)")
    #expect(lines(recorded.errors) == lines(plain.errors))
  }

  @Test func `a word that is not UTF-8 is stored in shell syntax`() throws {
    let name = "\"$(printf 'caf\\351 1.txt')\""
    _ = try episodic.shell("touch \(name); episodic record --task t --domain d --episode e -- ls \(name)")
    #expect(try episodic.lastStep(of: "e")["action"] as? String == "ls $'caf\\xE9 1.txt'")
  }

  @Test func `a path argument of episodic that is not UTF-8 is refused, not replaced by another path`() throws {
    for command in [
      "episodic list --store \"$x\"", "episodic record --store=\"$x\" --task t --domain d -- true",
      "EPISODIC_STORE=\"$x\" episodic record --task t --domain d -- true", "episodic import \"$x\"",
      "episodic export --output \"$x\"", "episodic recall --queries \"$x\" --output -",
    ] {
      let result = try episodic.shell("x=$(printf 's\\351'); \(command); status=$?; ls; exit $status")
      #expect(result.status == 2 && result.errors.contains("not UTF-8"), "\(command) \(result)")
      #expect(!result.output.contains("s"), "\(command) \(result)")
    }
  }

  @Test(arguments: [
    ("nosuchprogram", "no such program", 127), ("/nowhere/program", "no such file", 127),
    ("/etc/passwd", "may not be executed", 126), ("/", "may not be executed", 126),
  ]) func `a command that cannot be started is a failed step that says why`(
    program: String, reason: String, status: Int
  ) throws {
    let result = try episodic.record(["--episode", "e", "--", program, "argument"])
    #expect(
      result.status == 0 && result.errors.contains(reason) && result.errors.contains("(failed, 1 step)"), "\(result)")
    let step = try episodic.lastStep(of: "e")
    #expect(step["success"] as? Bool == false && step["action"] as? String == "\(program) argument")
    #expect((step["result"] as? String)?.contains(reason) == true)
    #expect(try episodic.record(["--exit-status", "--", program]).status == status)
  }

  private func run(_ script: String, record: String) throws -> CommandLineTool.Result {
    try episodic.shell("record='\(record)'; rm -rf work; mkdir work; cd work; \(script); echo status $?")
  }

  /// Without the summary, and without the shell's message about a killed program.
  private func lines(_ errors: String) -> [Substring] {
    errors.split(separator: "\n").filter { !$0.hasPrefix("recorded e") && !$0.contains("Killed") }
  }
}
