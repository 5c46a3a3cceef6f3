import EpisodicMemory
import Foundation
import GRDB
import Testing

@Suite struct `episodic audit` {
  let episodic: CommandLineTool

  init() throws { episodic = try CommandLineTool() }

  private func fill() throws {
    try episodic(
      "begin", "--task", "testing", "--domain", "web", "--context", "the login fails", "--actor", "ci")
    try episodic("append", "@last", "--action", "npm test", "--failed", "--actor", "ci")
    try episodic("fail", "@last", "--actor", "alice")
  }

  private func lines(_ arguments: String...) throws -> [Substring] {
    try episodic.run(arguments).output.split(separator: "\n")
  }

  @Test func `--actor and EPISODIC_ACTOR leave records, and nothing leaves none`() throws {
    try episodic("begin", "--task", "t", "--domain", "web", "--context", "c")
    #expect(try lines("audit", "list").isEmpty)
    try fill()
    _ = try episodic.shell("EPISODIC_ACTOR=variable episodic append @last --action a || true")
    _ = try episodic.shell("EPISODIC_ACTOR=variable episodic reopen @last")
    let listed = try lines("audit", "list", "--utc")
    #expect(
      listed.map { $0.split(separator: "  ").map(String.init) }.map { $0[2...].joined(separator: " ") } == [
        "ci insert 1 episodes", "ci append 1 steps", "alice fail 1 episodes", "variable reopen 1 episodes",
      ])
    #expect(try lines("audit", "list", "--after", "1", "--limit", "2").count == 2)
    #expect(try lines("audit", "list", "--domain", "nowhere").isEmpty)
    #expect(try lines("audit", "list", "--domain", "web").count == 4)
  }

  @Test func `verify says what was done to the store behind the engine's back, against heads and rows`() throws {
    try fill()
    try episodic("audit", "head", "--output", "head.json")
    let whole = try episodic("audit", "verify", "--rows", "--head", "head.json")
    #expect(whole.output.hasSuffix("ok\n"))
    let database = try DatabaseQueue(path: episodic.store + "/memory.sqlite")
    try database.write { db in try db.execute(sql: "UPDATE steps SET action = 'npm test -- --force'") }
    let row = try episodic.run(["audit", "verify", "--rows"])
    #expect(row.status == 1 && row.output.contains("FAILED  row-changed"), "\(row)")
    #expect(try episodic.run(["audit", "verify"]).status == 0)
    try database.write { db in
      try db.execute(sql: "DROP TRIGGER audit_loses_no_record; DELETE FROM audit WHERE number = 3")
    }
    try database.close()
    let cut = try episodic.run(["audit", "verify", "--head", "head.json"])
    #expect(cut.status == 1 && cut.output.contains("FAILED  tail-cut"), "\(cut)")
  }

  @Test func `an export is verified alone`() throws {
    try fill()
    try episodic("audit", "export", "--output", "audit.jsonl")
    try episodic("audit", "head", "--output", "head.json")
    #expect(try episodic("audit", "export").output == episodic.shell("cat audit.jsonl").output)
    let arguments = ["audit", "verify", "--file", "audit.jsonl", "--head", "head.json", "--store", "nowhere"]
    #expect(try episodic.run(arguments).status == 0)
    _ = try episodic.shell("sed -i.old s/alice/mallory/ audit.jsonl")
    let changed = try episodic.run(arguments)
    #expect(changed.status == 1 && changed.output.contains("record-changed"), "\(changed)")
    _ = try episodic.shell("head -n 2 audit.jsonl.old > audit.jsonl")
    #expect(try episodic.run(arguments).output.contains("tail-cut"))
    _ = try episodic.shell("echo '{}' >> audit.jsonl")
    let malformed = try episodic.run(arguments)
    #expect(malformed.status == 2 && malformed.errors.contains("line 3"), "\(malformed)")
  }

  @Test func `a store that requires an audit takes no write without an actor`() throws {
    try fill()
    let refused = try episodic.run(["audit", "require"])
    #expect(refused.status == 2 && refused.errors.contains("audit"), "\(refused)")
    try episodic("audit", "require", "--actor", "admin")
    for arguments in [["reopen", "@last"], ["delete", "@last", "--yes"], ["audit", "require", "--off"]] {
      let result = try episodic.run(arguments)
      #expect(result.status == 2 && result.errors.contains("audit"), "\(arguments) \(result)")
    }
    #expect(try episodic.run(["list"]).status == 0)
    try episodic("reopen", "@last", "--actor", "bob")
    try episodic("audit", "require", "--off", "--actor", "admin")
    try episodic("complete", "@last")
  }

  @Test func `without the trait, signing says which trait is needed`() throws {
    #if !Encryption
      try fill()
      for arguments in [["head", "--sign", "key.pem"], ["verify", "--head", "head.json", "--key", "key.pem"]] {
        let result = try episodic.run(["audit"] + arguments)
        #expect(result.status == 2 && result.errors.contains("trait Encryption"), "\(result)")
      }
    #endif
  }
}
