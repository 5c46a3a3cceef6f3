import Foundation
import Testing

@Suite struct `Streams and signals of a recorded command` {
  let episodic: CommandLineTool

  init() throws { episodic = try CommandLineTool() }

  private static let record = "episodic record --task t --domain d --episode e"
  /// Prints 1...2000, alternating between the streams.
  private static let alternating =
    "i=0; while [ $i -lt 2000 ]; do i=$((i+1)); echo $i; i=$((i+1)); echo $i >&2; done"
  private static let counted = (1...2000).map { "\($0)\n" }.joined()

  @Test func `output and errors into one file arrive in the order of their writes`() throws {
    let result = try episodic.shell("\(Self.record) -- sh -c '\(Self.alternating)' 2>&1")
    #expect(result.output.hasPrefix(Self.counted), "\(result.output.prefix(200))")
    #expect(try episodic.lastStep(of: "e")["result"] as? String == Self.counted)
  }

  #if os(Linux)
    @Test func `output and errors into two files are captured in the order of their writes`() throws {
      let result = try episodic.shell("\(Self.record) -- sh -c '\(Self.alternating)'")
      #expect(result.output.hasPrefix("1\n3\n5\n") && result.errors.hasPrefix("2\n4\n6\n"))
      #expect(try episodic.lastStep(of: "e")["result"] as? String == Self.counted)
    }
  #endif

  @Test func `a large output is relayed completely to a fast or slow reader`() throws {
    let result = try episodic.shell(
      """
      \(Self.record) -- sh -c 'seq 1 200000; seq 1 100000 >&2' 2>errors | (sleep 0.3; cksum)
      seq 1 200000 | cksum; cksum < errors; (seq 1 100000; grep ^recorded errors) | cksum
      """)
    let sums = result.output.split(separator: "\n")
    #expect(sums.count == 4 && sums[0] == sums[1] && sums[2] == sums[3], "\(result)")
  }

  @Test(arguments: [
    "yes", "tail -f endless", "sh -c 'while echo more; do :; done; exit 3'", "cat /dev/zero", "sh -c 'yes >&2' 2>&1",
  ]) func `a reader that goes away ends the command as it would without record`(command: String) throws {
    let script = """
      yes | head -n 3 > endless
      timeout 60 env \(command) | head -n 1 >/dev/null; plain=${PIPESTATUS[0]}
      timeout 60 \(Self.record) --exit-status -- \(command) | head -n 1 >/dev/null; echo $plain ${PIPESTATUS[0]}
      """.replacing("cat /dev/zero | head -n 1", with: "cat /dev/zero | head -c 1")
    let result = try episodic.shell("exec bash -c \"$(cat <<'END'\n\(script)\nEND\n)\"")
    let statuses = result.output.split(whereSeparator: \.isWhitespace)
    #expect(statuses.count == 2 && statuses[0] == statuses[1] && statuses[1] != "124", "\(result)")
    #expect(try episodic.lastStep(of: "e")["success"] as? Bool == false)
  }

  @Test func `a closed reader does not end a command that ignores it`() throws {
    let result = try episodic.shell("\(Self.record) -- sh -c 'seq 1 200000; echo done >&2' | head -n 1")
    #expect(result.output == "1\n" && result.errors.contains("(completed, 1 step)"), "\(result)")
    #expect((try episodic.lastStep(of: "e")["result"] as? String)?.contains("done") == true)
  }

  @Test func `a full disk under the output is reported, and the step is recorded`() throws {
    let result = try episodic.shell("\(Self.record) -- sh -c 'echo lost' > /dev/full")
    #expect(result.status == 3 && result.errors.contains("No space left"), "\(result)")
    #expect(try episodic.lastStep(of: "e")["result"] as? String == "lost\n")
  }

  @Test func `a program left in the background keeps running, and record does not wait for it`() throws {
    // When the test signals that the recording ended, it prints much more than a pipe holds.
    let script = """
      (while [ ! -e ended ]; do sleep 0.05; done; i=0
      while [ $i -lt 5000 ]; do i=$((i+1)); echo "serving $i, and then some more of it"; echo "$i" >&2; done; echo $i > last) &
      echo started
      """
    _ = try episodic.file("serve.sh", script)
    let result = try episodic.shell(
      """
      \(Self.record) -- sh serve.sh; touch ended
      tries=0; while [ ! -s last ] && [ $tries -lt 600 ]; do tries=$((tries+1)); sleep 0.1; done; cat last
      """)
    #expect(result.output == "started\n5000\n", "\(result)")
    #expect(try episodic.lastStep(of: "e")["result"] as? String == "started\n")
  }

  @Test func `output to a pipe is complete although a background program holds it open`() throws {
    let result = try episodic.shell(
      "\(Self.record) -- sh -c 'sleep 300 & echo $! > pid; echo started' | cat; kill $(cat pid)")
    #expect(result.output == "started\n", "\(result)")
  }

  @Test(arguments: ["INT", "QUIT", "TERM", "HUP"])
  func `a signal to record alone reaches the command once, and the step is recorded`(signal: String) throws {
    let result = try signalled(
      "kill -\(signal) $!",
      during: "sh -c 'trap \"echo got; exit 5\" \(signal); echo ready > ready; while :; do sleep 0.05; done'")
    #expect(result.status == 5, "\(result)")
    let step = try episodic.lastStep(of: "e")
    #expect(step["result"] as? String == "got\n" && step["success"] as? Bool == false)
  }

  @Test(arguments: [("INT", 2), ("QUIT", 3), ("TERM", 15), ("HUP", 1)])
  func `a signal ends the command, the step is recorded, and record exits with the command's status`(
    signal: String, number: Int32
  ) throws {
    let result = try signalled("kill -\(signal) $!", during: "sh -c 'ulimit -c 0; echo ready > ready; exec sleep 300'")
    #expect(result.status == 128 + number && result.errors.contains("(failed, 1 step)"), "\(result)")
    #expect((try episodic.lastStep(of: "e")["result"] as? String)?.contains("signal \(number)") == true)
  }

  @Test func `a signal that the command sends to its process group is not forwarded to it`() throws {
    let result = try signalled(
      "true", during: "sh -c 'n=0; trap \"n=\\$((n+1))\" TERM; echo ready > ready; kill -TERM 0; sleep 0.5; echo $n'")
    #expect(result.output == "1\n", "\(result)")
  }

  @Test func `a signal is forwarded although the output is not read`() throws {
    let result = try episodic.shell(
      """
      mkfifo unread; sleep 300 < unread & reader=$!
      \(Self.record) -- sh -c 'echo $$ > ready; exec yes' > unread & recorder=$!
      while [ ! -s ready ]; do sleep 0.02; done
      sleep 0.2; kill -TERM $recorder
      tries=0; while kill -0 $(cat ready) 2>/dev/null && [ $tries -lt 600 ]; do tries=$((tries+1)); sleep 0.1; done
      kill $reader; wait $recorder; echo $? $((tries < 600))
      """)
    #expect(result.output == "0 1\n" && result.errors.contains("(failed, 1 step)"), "\(result)")
    #expect((try episodic.lastStep(of: "e")["result"] as? String)?.contains("signal 15") == true)
  }

  /// Runs a recorded command in its own process group, like a terminal's foreground job; only bash has job control without
  /// a terminal, and without it a command in the background ignores SIGINT and SIGQUIT.
  private func signalled(_ action: String, during command: String) throws -> CommandLineTool.Result {
    try episodic.shell(
      """
      cat > job.sh <<'END'
      set -m
      \(Self.record) --exit-status -- \(command) &
      while [ ! -s ready ]; do sleep 0.02; done
      \(action)
      wait $!
      END
      exec bash job.sh
      """)
  }
}
