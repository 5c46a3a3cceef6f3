import Foundation
import LMDB
import TestSupport
import Testing

@Suite struct `Opening an environment` {
  @Test func `waits for the lock on the directory no longer than its patience`() throws {
    let directory = try TemporaryDirectory()
    let descriptor = open(directory.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    try #require(descriptor >= 0 && flock(descriptor, LOCK_EX | LOCK_NB) == 0)
    defer { close(descriptor) }
    var impatient = Environment.Options.testing
    impatient.patience = .milliseconds(20)
    let (path, options) = (directory.path, impatient)
    let opening = code { () throws(LMDBError) in _ = try Environment.open(at: path, options: options) }
    #expect(opening == .busy)
    let removing = code { () throws(LMDBError) in
      try Environment.removeFiles(at: path, patience: .milliseconds(20))
    }
    #expect(removing == .busy)
    flock(descriptor, LOCK_UN)
    _ = try Environment.open(at: path, options: options)
  }

  @Test(arguments: ["data.mdb", "lock.mdb"], [true, false])
  func `refuses a symbolic link in place of a file, and leaves alone what it leads to`(
    _ name: String, _ dangles: Bool
  ) throws {
    let directory = try TemporaryDirectory()
    let victim = directory.path + "/victim"
    if !dangles { try Data("precious".utf8).write(to: URL(filePath: victim)) }
    try FileManager.default.createSymbolicLink(atPath: directory.path + "/" + name, withDestinationPath: victim)
    let path = directory.path
    #expect(code { () throws(LMDBError) in _ = try Environment.open(at: path, options: .testing) } == .foreign)
    if dangles {
      #expect(!FileManager.default.fileExists(atPath: victim))
    } else {
      try #expect(Data(contentsOf: URL(filePath: victim)) == Data("precious".utf8))
    }
  }

  @Test func `refuses a directory that is a symbolic link`() throws {
    let directory = try TemporaryDirectory()
    let link = directory.path + "-link"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: directory.path)
    defer { try? FileManager.default.removeItem(atPath: link) }
    #expect(code { () throws(LMDBError) in _ = try Environment.open(at: link, options: .testing) } == .foreign)
    try #expect(FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
  }

  /// A file with holes kills the process with SIGBUS when the disk is full.
  @Test func `allocates every block of the lock file`() throws {
    let directory = try TemporaryDirectory()
    let environment = try Environment.open(at: directory.path, options: .testing)
    var status = stat()
    try #require(stat(directory.path + "/lock.mdb", &status) == 0)
    #expect(status.st_size >= 512 * 64)
    #expect(Int(status.st_blocks) * 512 >= Int(status.st_size))
    try #expect(environment.statistics().maxReaders == 512)
  }

  @Test func `makes files that only their owner may use, whatever the umask`() async throws {
    let directory = try TemporaryDirectory()
    let path = directory.path + "/new"
    await #expect(processExitsWith: .success) { [path = path as String] in
      _ = umask(0o777)
      let environment = try Environment.open(at: path, options: .testing)
      _ = try environment.database(named: "d")
    }
    for (name, mode) in [("", 0o700), ("/data.mdb", 0o600), ("/lock.mdb", 0o600)] {
      let found = try FileManager.default.attributesOfItem(atPath: path + name)[.posixPermissions] as? Int
      #expect(found == mode, "\(name)")
    }
  }

  #if os(Linux)
    @Test
    func `reads while another has the reader table locked, and waits for a new slot in it 100 ms at most`()
      throws
    {
      let directory = try TemporaryDirectory()
      let environment = try Environment.open(at: directory.path, options: .testing)
      // Stays open, for closing it would drop LMDB's locks on the file.
      let descriptor = open(directory.path + "/lock.mdb", O_RDWR | O_CLOEXEC)
      let map = mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
      let base = try #require(map == MAP_FAILED ? nil : map)
      defer { munmap(base, 4096) }
      let mutex = (base + 8).assumingMemoryBound(to: pthread_mutex_t.self)
      try environment.read { _ throws(LMDBError) in }
      try #require(pthread_mutex_lock(mutex) == 0)
      try environment.read { _ throws(LMDBError) in
        let second = code { () throws(LMDBError) in try environment.read { _ throws(LMDBError) in } }
        #expect(second == .busy)
      }
      pthread_mutex_unlock(mutex)
      try environment.read { _ throws(LMDBError) in try environment.read { _ throws(LMDBError) in } }
    }
  #endif
}
