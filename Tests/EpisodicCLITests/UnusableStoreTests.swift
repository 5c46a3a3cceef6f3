import Foundation
import TestSupport
import Testing

/// Exit 3: the store is unavailable or damaged, or the file is not a store.
@Suite struct `A store that cannot be used` {
  let episodic: CommandLineTool

  init() throws {
    episodic = try CommandLineTool()
    try #require(try episodic("import", "-", input: line("a") + line("b")).status == 0)
  }

  private var primary: String { episodic.store + "/memory.sqlite" }

  private func expect3(_ result: CommandLineTool.Result, saying words: String...) {
    #expect(result.status == 3 && result.output.isEmpty, "\(result)")
    #expect(result.errors.split(separator: "\n").count == 1, "\(result)")
    for word in words { #expect(result.errors.contains(word), "\(result)") }
  }

  @Test(arguments: ["list", "stats", "check", "rebuild", "export"])
  func `that is not a database is named by every command`(_ command: String) throws {
    try Data(String(repeating: "dear diary ", count: 1000).utf8).write(to: URL(filePath: primary))
    expect3(try episodic(command), saying: primary, "restore a backup")
  }

  @Test func `and does not exist is created by import and record only`() throws {
    try FileManager.default.removeItem(atPath: episodic.store)
    for command in ["list", "stats", "check", "rebuild", "export"] {
      expect3(try episodic(command), saying: "no store")
    }
    #expect(!FileManager.default.fileExists(atPath: episodic.store))
  }

  @Test(.enabled(if: Host.hasSQLiteShell, "needs the sqlite3 shell"))
  func `of a newer version is refused with both versions named`() throws {
    let later = "INSERT INTO schema_version VALUES (99, 1, 'later', 'x')"
    #expect(try episodic.shell("/usr/bin/sqlite3 '\(primary)' \"\(later)\"").status == 0)
    expect3(try episodic("list"), saying: "99", "newer")
  }

  @Test func `that fails its integrity check makes check exit with 3 and name the remedy`() throws {
    try #require(try episodic("import", "-", input: (0..<300).map { line("e\($0)") }.joined()).status == 0)
    var bytes = try Data(contentsOf: URL(filePath: primary))
    for page in 6..<bytes.count / 4096 { for offset in 0..<40 { bytes[page * 4096 + offset] = UInt8(offset) } }
    try bytes.write(to: URL(filePath: primary))
    let result = try episodic("check")
    #expect(result.status == 3 && (result.output + result.errors).contains("restore a backup"), "\(result)")
  }

  @Test(.enabled(if: Host.canRunAsNobody, "becoming another user takes root and setpriv"))
  func `for lack of permission is named in the error, with the remedy`() throws {
    let nobody = "/usr/bin/setpriv --reuid=65534 --regid=65534 --clear-groups"
    for (path, mode) in [(primary, "600"), (primary + "-lock", "600"), (episodic.store, "700")] {
      try #require(try episodic.shell("chmod \(mode) '\(path)'").status == 0)
      expect3(try episodic.shell("\(nobody) episodic list"), saying: "ermission", "change its owner or mode")
      try #require(try episodic.shell("chmod 777 '\(path)'").status == 0)
    }
  }

  @Test(.enabled(if: Host.canMount, "needs the right to mount a small disk"))
  func `on a full disk keeps acknowledged writes`() throws {
    let folder = episodic.store + "-small"
    let mounted = try episodic.shell("mkdir '\(folder)' && mount -t tmpfs -o size=3m tmpfs '\(folder)'")
    try #require(mounted.status == 0, "\(mounted)")
    defer { _ = try? episodic.shell("umount '\(folder)'") }
    var kept = 0
    var refused: CommandLineTool.Result?
    for round in 0..<60 where refused == nil {
      let lines = (0..<5).map { line("r\(round)-\($0)", result: String(repeating: "word\(round) ", count: 2000)) }
      let result = try episodic("import", "-", "--store", folder + "/s", input: lines.joined())
      if result.status == 0 { kept += 5 } else { refused = result }
    }
    let refusal = try #require(refused)
    #expect(refusal.status == 3)
    // Further lines report on cache and index.
    let told = refusal.errors.split(separator: "\n")
    #expect(told.filter { !$0.hasPrefix("episodic: notice:") && !$0.hasPrefix("episodic: warning:") }.count == 1)
    #expect(told.last?.contains("free some space") == true)
    let listed = try episodic("list", "--store", folder + "/s", "--limit", "1000", "--json")
    #expect(listed.status == 0)
    #expect((listed.json?["episodes"] as? [Any])?.count == kept)
    #expect(try episodic("check", "--store", folder + "/s").status == 0)
  }
}
