import CRawSQLite
import Episodic

/// The yardstick: a file that the library made, in the hands of a C program.
final class RawStore {
  private let store: OpaquePointer

  /// Opens the `memory.sqlite` of a folder.
  init(in folder: String, durability: Memory.Durability) throws {
    var opened: OpaquePointer?
    let code = raw_open(folder + "/memory.sqlite", durability == .full ? 1 : 0, &opened)
    guard code == 0, let opened else {
      defer { raw_close(opened) }
      throw BenchError("raw SQLite cannot open \(folder): \(String(cString: raw_message(opened)))")
    }
    store = opened
  }

  deinit { raw_close(store) }

  /// Has the library make a store, so that the schema is the library's, and opens it.
  static func make(in folder: String, durability: Memory.Durability) async throws -> RawStore {
    let memory = try await Memory.open(at: folder)
    try await memory.close()
    return try RawStore(in: folder, durability: durability)
  }

  func insert(_ episodes: RawEpisodes) throws {
    try episodes.withBuffer { try check(raw_insert(store, $0.baseAddress, Int32($0.count))) }
  }

  func append(_ steps: RawSteps, from index: Int, count: Int = 1) throws {
    try steps.withBuffer { buffer in
      let slice = UnsafeBufferPointer(rebasing: buffer[index..<index + count])
      try check(raw_append(store, steps.episodes[index], slice.baseAddress, Int32(count)))
    }
  }

  func digest(_ id: raw_text) throws -> UInt64 {
    var digest: UInt64 = 0
    try check(raw_read(store, id, &digest))
    return digest
  }

  /// Prepares a question with one parameter whose answer is a row of so many integers.
  func query(_ sql: String, columns: Int) throws -> RawQuery {
    var prepared: OpaquePointer?
    try check(raw_prepare(store, sql, &prepared))
    guard let prepared else { throw BenchError("\(sql) is no statement") }
    return RawQuery(prepared, columns: columns, of: self)
  }

  func check(_ code: Int32) throws {
    guard code == 0 else { throw BenchError("raw SQLite: \(String(cString: raw_message(store)))") }
  }
}
