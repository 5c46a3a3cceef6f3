import EpisodicMemory
import Foundation
import Testing

@Suite struct `episodic keys` {
  let episodic: CommandLineTool

  init() throws { episodic = try CommandLineTool() }

  @Test func `new makes a file that its owner alone can read, and none over another`() throws {
    #expect(try episodic("keys", "new", "--output", "store.key").status == 0)
    let listed = try episodic.shell("stat -c %a store.key; wc -c < store.key; cat store.key")
    let lines = listed.output.split(separator: "\n").map(String.init)
    #expect(lines.count == 3 && lines[0] == "600" && lines[1] == "65" && lines[2].count == 64, "\(listed)")
    let again = try episodic("keys", "new", "--output", "store.key")
    #expect(again.status == 2 && again.errors.contains("store.key"), "\(again)")
    let (first, second) = try (episodic("keys", "new").output, episodic("keys", "new").output)
    #expect(first != second && first.count == 65)
  }

  @Test func `a key is taken from one place, and shown nowhere`() throws {
    let both = try episodic("list", "--key-file", "k", "--key-descriptor", "3")
    #expect(both.status == 2 && both.errors.contains("--key-descriptor"), "\(both)")
    let key = String(repeating: "ab", count: 32)
    for output in ["", "--json"] {
      let shown = try episodic.shell("EPISODIC_KEY=\(key) episodic config \(output)")
      #expect(shown.status == 0 && !shown.output.contains(key) && shown.output.contains("not shown"), "\(shown)")
    }
  }

  #if Encryption
    @Test
    func `encrypt, rotate and destroy do what they say, with the key from a file, a descriptor and the environment`()
      throws
    {
      try episodic("keys", "new", "--output", "store.key")
      try episodic("begin", "--task", "t", "--domain", "web", "--context", "the login fails")
      let encrypted = try episodic("keys", "encrypt", "web", "--key-file", "store.key", "--json")
      try JSONSchema("sealing").check(encrypted.output)
      #expect(encrypted.json?["rows"] as? Int == 1)
      for command in [
        "episodic show @last --key-file store.key", "episodic show @last --key-descriptor 3 3< store.key",
        "EPISODIC_KEY=$(cat store.key) episodic show @last",
      ] {
        let shown = try episodic.shell(command)
        #expect(shown.status == 0 && shown.output.contains("the login fails"), "\(command): \(shown)")
      }
      let none = try episodic("show", "@last")
      #expect(none.status == 2 && none.errors.contains("--key-file") && !none.output.contains("login"), "\(none)")
      try episodic("keys", "new", "--output", "new.key")
      let wrong = try episodic("show", "@last", "--key-file", "new.key")
      #expect(wrong.status == 2 && wrong.errors.contains("web"), "\(wrong)")
      let open = try episodic.shell(
        "chmod 644 store.key; episodic show @last --key-file store.key; chmod 600 store.key")
      #expect(open.errors.contains("chmod 600"), "\(open)")

      #expect(try episodic("keys", "rotate", "web", "--key-file", "store.key").output.contains("version 2"))
      #expect(try episodic("keys", "rotate", "db", "--key-file", "store.key").status == 1)
      let rotated = try episodic("keys", "rotate-store", "--key-file", "store.key", "--new-key-file", "new.key")
      #expect(rotated.status == 0, "\(rotated)")
      #expect(try episodic("show", "@last", "--key-file", "store.key").status == 2)
      #expect(try episodic("show", "@last", "--key-file", "new.key").output.contains("the login fails"))
      #expect(try episodic("keys", "destroy", "web").status == 2)
      #expect(try episodic("keys", "destroy", "web", "--yes").status == 0)
      #expect(try episodic("show", "@last", "--key-file", "new.key").status == 3)
      let listed = try episodic("keys", "list", "--json")
      try JSONSchema("keys").check(listed.output)
      let states = (listed.json?["keys"] as? [[String: Any]])?.compactMap { $0["state"] as? String }
      #expect(states == ["destroyed", "replaced"], "\(listed)")
      #expect(try episodic("keys", "list").output.contains("web  version 2  destroyed"))
      #expect(try episodic("forget", "--domain", "web", "--yes").status == 0)
    }
  #else
    @Test func `a build without encryption says so`() throws {
      for arguments in [["encrypt", "web"], ["rotate", "web"], ["rotate-store", "--new-key-file", "k"]] {
        let result = try episodic.run(["keys"] + arguments)
        #expect(result.status == 2 && result.errors.contains("trait Encryption"), "\(result)")
      }
      #expect(!FileManager.default.fileExists(atPath: episodic.store))
    }
  #endif
}
