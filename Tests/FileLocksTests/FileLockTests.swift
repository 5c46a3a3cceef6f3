import FileLocks
import Foundation
import Synchronization
import TestSupport
import Testing

private typealias Directory = PrivateDirectory<FileError>
private typealias Lock = FileLock<FileError>

private final class Counter: Sendable {
  let value = Atomic(0)
}

@Suite struct `A lock on a file` {
  private let scratch: TemporaryDirectory
  private let directory: Directory

  init() throws {
    scratch = try TemporaryDirectory()
    directory = try Directory(creatingAt: scratch.file("d"))
  }

  private func lock() throws -> Lock { try Lock(in: directory, "lock") }

  @Test func `is shared by those that share it and excludes an exclusive one, in one process too`() throws {
    let (first, second, third) = (try lock(), try lock(), try lock())
    try #expect(first.tryLock(.shared) && second.tryLock(.shared))
    try #expect(!third.tryLock(.exclusive))
    first.unlock()
    second.unlock()
    try #expect(third.tryLock(.exclusive) && !first.tryLock(.shared))
  }

  @Test func `is waited for until the deadline`() throws {
    let (holder, waiter) = (try lock(), try lock())
    try #require(try holder.tryLock(.exclusive))
    let error = #expect(throws: FileError.self) { try waiter.lock(.exclusive, until: .after(.milliseconds(20))) }
    #expect(error?.code == .busy && error?.message.contains(directory.path + "/lock") == true)
    holder.unlock()
    try waiter.lock(.exclusive, until: .after(.milliseconds(20)))
  }

  @Test func `that timed out is not waited for again until it has been obtained`() throws {
    let (holder, waiter) = (try lock(), try lock())
    try #require(try holder.tryLock(.exclusive))
    func write(_ timeout: Duration) throws { try waiter.withLock(timeout: timeout) { () throws(FileError) in } }
    #expect(throws: FileError.self) { try write(.milliseconds(1)) }
    // Would wait for minutes.
    #expect(throws: FileError.self) { try write(.seconds(600)) }
    holder.unlock()
    try write(.zero)
  }

  @Test func `excludes the threads that share the value`() async throws {
    let lock = try lock()
    let counter = Counter()
    await withTaskGroup { group in
      for _ in 0..<4 {
        group.addTask {
          for _ in 0..<500 {
            try? lock.withLock(timeout: .seconds(60)) { () throws(FileError) in
              counter.value.store(counter.value.load(ordering: .relaxed) + 1, ordering: .relaxed)
            }
          }
        }
      }
    }
    #expect(counter.value.load(ordering: .relaxed) == 2000)
  }

  @Test func `is taken if it is available, and else left`() throws {
    let (first, second) = (try lock(), try lock())
    let inner = try first.withLockIfAvailable { () throws(FileError) in
      (
        try first.withLockIfAvailable { () throws(FileError) in 1 },
        try second.withLockIfAvailable { () throws(FileError) in 1 }
      )
    }
    let (sameValue, otherFile) = try #require(inner)
    #expect(sameValue == nil && otherFile == nil)
    try #expect(second.withLockIfAvailable { () throws(FileError) in 1 } == 1)
  }

  @Test func `on a directory needs no file`() throws {
    try #require(try directory.lock.tryLock(.exclusive))
    let other = FileLock(try OpenFile<FileError>.directory(directory.path))
    try #expect(!other.tryLock(.exclusive))
    try #expect(directory.names().isEmpty)
  }
}

@Suite struct `Files of a private directory` {
  private let scratch: TemporaryDirectory
  private let directory: Directory

  init() throws {
    scratch = try TemporaryDirectory()
    directory = try Directory(creatingAt: scratch.file("d"))
  }

  @Test func `are for their owner alone`() throws {
    let file = try directory.createFile("file")
    try #expect(file.status().mode == 0o600)
    try #expect(FileStatus(of: directory.path)?.mode == 0o700)
    try Directory.createWithParents(scratch.file("a/b/c"))
    for path in ["a", "a/b", "a/b/c"] { try #expect(FileStatus(of: scratch.file(path))?.mode == 0o700) }
  }

  @Test func `have one identity, however it is read`() throws {
    let file = try directory.createFile("file")
    let identity = try file.status().identity
    try #expect(FileIdentity(of: file.path) == identity)
    try #expect(FileStatus(of: file.path)?.identity == identity)
    try #expect(directory.status(of: "file")?.identity == identity)
    try #expect(FileIdentity(of: directory.path) == directory.identity)
    try #expect(FileIdentity(of: scratch.file("nothing")) == nil)
  }

  @Test(arguments: [FileError.Code.link, .kind]) func `are not opened through a link, nor if they are no files`(
    _ code: FileError.Code
  ) throws {
    let path = directory.path + "/file"
    if code == .link {
      try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: scratch.file("victim"))
    } else {
      try #require(mkfifo(path, 0o600) == 0)
    }
    #expect(throws: FileError.self) { try directory.createFile("file") }
    let error = #expect(throws: FileError.self) { try directory.openFile("file") }
    #expect(error?.code == code)
    #expect(!FileManager.default.fileExists(atPath: scratch.file("victim")))
  }

  @Test func `hold what was written last, and nothing behind it`() throws {
    let file = try directory.createFile("file")
    try file.replaceContent(with: Array("a long line".utf8))
    try file.replaceContent(with: Array("short".utf8))
    try #expect(file.read(512, at: 0) == Array("short".utf8))
    try file.allocate(1 << 16)
    try #expect(file.status().size == 1 << 16 && file.status().bytesOnDisk >= 1 << 16)
    try #expect(file.read(5, at: 0) == Array("short".utf8))
  }
}
