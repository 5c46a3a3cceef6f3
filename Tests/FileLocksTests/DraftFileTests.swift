import FileLocks
import Foundation
import TestSupport
import Testing

@Suite struct `Drafts of files` {
  private func names(_ directory: TemporaryDirectory) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
  }

  @Test func `a draft gets its name when it is published, and is removed otherwise`() throws {
    let directory = try TemporaryDirectory()
    let draft = try DraftFile(of: directory.file("a"))
    #expect(try names(directory) == ["a.partial"])
    try draft.publish()
    draft.discard()
    #expect(try names(directory) == ["a"])
    do { _ = try DraftFile(of: directory.file("b")) }
    #expect(try names(directory) == ["a"])
  }

  @Test func `one file has one maker at a time`() throws {
    let directory = try TemporaryDirectory()
    let draft = try DraftFile(of: directory.file("a"))
    let error = #expect(throws: FileError.self) { try DraftFile(of: directory.file("a")) }
    #expect(error?.code == .busy)
    draft.discard()
    _ = try DraftFile(of: directory.file("a"))
  }

  @Test func `what a killed maker left is removed with what SQLite made beside it, and nothing else is`() throws {
    let directory = try TemporaryDirectory()
    for name in ["a.partial", "a.partial-journal", "a.partial-wal", "a.partial-shm", "b.partial", "kept"] {
      try Data().write(to: URL(filePath: directory.file(name)))
    }
    try FileManager.default.createSymbolicLink(atPath: directory.file("l.partial"), withDestinationPath: "kept")
    let held = try DraftFile(of: directory.file("c"))
    let left = [directory.file("a.partial"), directory.file("b.partial")]
    #expect(try LeftoverFiles.find(in: directory.path) == left)
    #expect(try LeftoverFiles.remove(in: directory.path) == left)
    #expect(try names(directory) == ["c.partial", "kept", "l.partial"])
    #expect(try LeftoverFiles.find(in: directory.file("none")) == [])
    held.discard()
  }
}
