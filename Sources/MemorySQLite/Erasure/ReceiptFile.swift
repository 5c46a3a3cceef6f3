import ByteCoding
package import EpisodicMemory
import FileLocks
import Foundation

/// Receipts of erasures beside the backups of a store: what a restored copy of before is to forget again, also when the primary
/// is lost.
///
/// `receipts.jsonl` has a line for each erasure, without what was erased. `receipts.key` has the keys of the digests: whoever
/// has both can test whether an id is in a receipt, as whoever has a backup can. Both grow by whole lines; a line that a
/// crash cut short is left out.
package struct ReceiptFile {
  package static let name = "receipts.jsonl"
  package static let keyName = "receipts.key"

  private let directory: String
  private let isOwn: Bool

  /// - Parameter directory: With backups.
  /// - Parameter isOwn: Whether it is in the store, and so must be the user's own and no link; false for a directory that a person
  ///   named.
  package init(in directory: String, isOwn: Bool = true) {
    self.directory = directory
    self.isOwn = isOwn
  }

  /// Those beside a file that a person named.
  init(beside path: String) {
    let directory = (path as NSString).deletingLastPathComponent
    self.init(in: directory.isEmpty ? "." : directory, isOwn: false)
  }

  // MARK: Writing

  /// Adds receipts, durably, but for those that are there.
  package func add(_ receipts: [StoredReceipt]) throws(MemoryError) {
    guard !receipts.isEmpty else { return }
    do throws(FileError) {
      var keys: [(id: String, line: JSON)] = []
      for stored in receipts {
        let id = Self.identifier(of: stored.key)
        let key = stored.key.hexadecimal
        if keys.contains(where: { $0.id == key }) { continue }
        // By the key itself: a line of its id may be damaged.
        keys.append((key, ["id": .string(id), "key": .string(key)]))
      }
      // The key first: a receipt without it is of no use.
      try append(keys, to: Self.keyName)
      try append(receipts.map { ($0.receipt.id.rawValue, Self.line($0)) }, to: Self.name)
      try OpenFile<FileError>.directory(directory).sync()
    } catch {
      throw MemoryError(
        .unavailable, "the receipts of erasures cannot be kept in \(directory): \(error.message)", cause: error)
    }
  }

  private static let timeout = Duration.seconds(10)

  private func append(_ lines: [(id: String, line: JSON)], to name: String) throws(FileError) {
    let lock = FileLock(try create(name))
    try lock.withLock(timeout: Self.timeout) { () throws(FileError) in
      let content = try lock.file.read(Int(clamping: lock.file.status().size), at: 0)
      var known: Set<String> = []
      for line in Self.lines(content) {
        if case .string(let id)? = line["key"] ?? line["id"] { known.insert(id) }
      }
      let added = lines.filter { !known.contains($0.id) }
      if added.isEmpty { return }
      let newline = UInt8(ascii: "\n")
      var bytes: [UInt8] = content.isEmpty || content.last == newline ? [] : [newline]
      for (_, line) in added { bytes += Array(line.canonicalText.utf8) + [newline] }
      try lock.file.append(bytes)
      try lock.file.sync()
    }
  }

  private func create(_ name: String) throws(FileError) -> OpenFile<FileError> {
    if isOwn { return try PrivateDirectory<FileError>(creatingAt: directory).createFile(name) }
    return try OpenFile<FileError>.openOrCreate(directory + "/" + name)
  }

  private static func line(_ stored: StoredReceipt) -> JSON {
    var digests = JSON.Object()
    for (subject, traces) in Dictionary(grouping: stored.traces, by: \.subject) {
      digests[subject.rawValue] = .array(traces.map { .string($0.digest.rawValue) })
    }
    return [
      "id": .string(stored.receipt.id.rawValue), "store": .string(stored.store.rawValue),
      "ancestors": .array(stored.ancestors.map(JSON.string)), "key_id": .string(identifier(of: stored.key)),
      "receipt": receiptText(stored.receipt), "digests": .object(digests),
    ]
  }

  /// Encoding values of the engine does not fail.
  private static func receiptText(_ receipt: ErasureReceipt) -> JSON {
    do {
      return try JSON(text: String(decoding: JSONEncoder().encode(receipt), as: UTF8.self))
    } catch {
      return .null
    }
  }

  static func identifier(of key: [UInt8]) -> String { String(SHA256.digest(of: key).hexadecimal.prefix(16)) }

  // MARK: Reading

  /// All receipts, in the order in which they were added; none if there is no file. One whose key is lost has an empty one.
  package func receipts() throws(MemoryError) -> [StoredReceipt] {
    let content = try content(of: Self.name)
    if content.isEmpty { return [] }
    var keys: [String: [UInt8]] = [:]
    for line in Self.lines(try self.content(of: Self.keyName)) {
      guard case .string(let id)? = line["id"], case .string(let key)? = line["key"],
        let bytes = [UInt8](hexadecimal: key), Self.identifier(of: bytes) == id
      else { continue }
      keys[id] = bytes
    }
    return Self.lines(content).compactMap { line in Self.receipt(in: line, keys) }
  }

  /// Lines that are no receipts, in words; empty if there are none. The end of the file without a line's end is being written, or
  /// was cut short by a crash: its receipt is added again.
  package func faults() throws(MemoryError) -> [String] {
    let content = try content(of: Self.name)
    let newline = UInt8(ascii: "\n")
    let whole = content.prefix(content.lastIndex(of: newline).map { $0 + 1 } ?? 0)
    let count = whole.split(separator: newline).count
    let unreadable = count - Self.lines(Array(whole)).count { Self.receipt(in: $0, [:]) != nil }
    guard unreadable > 0 else { return [] }
    return [
      "\(directory)/\(Self.name): \(unreadable) of \(count) lines cannot be read, and an erasure that one of them names is "
        + "not done again in a copy"
    ]
  }

  /// - Returns: Nothing if there is no such file.
  private func content(of name: String) throws(MemoryError) -> [UInt8] {
    do throws(FileError) {
      guard let file = try open(name) else { return [] }
      return try file.read(Int(clamping: file.status().size), at: 0)
    } catch {
      throw MemoryError(
        .unavailable, "the receipts of erasures in \(directory) cannot be read: \(error.message)", cause: error)
    }
  }

  private func open(_ name: String) throws(FileError) -> OpenFile<FileError>? {
    if isOwn { return try PrivateDirectory<FileError>(at: directory)?.openFile(name) }
    return try OpenFile<FileError>.reading(directory + "/" + name)
  }

  private static func receipt(in line: JSON, _ keys: [String: [UInt8]]) -> StoredReceipt? {
    guard case .string(let store)? = line["store"], case .string(let keyID)? = line["key_id"],
      let text = line["receipt"]?.canonicalText,
      // A foreign line is no receipt.
      let receipt = try? JSONDecoder().decode(ErasureReceipt.self, from: Data(text.utf8))
    else { return nil }
    var traces: [Erasure.Trace] = []
    for (name, digests) in line["digests"]?.members ?? JSON.Object() {
      guard let subject = Erasure.Subject(rawValue: name), case .array(let digests) = digests else { continue }
      for case .string(let digest) in digests {
        traces.append(Erasure.Trace(subject, Erasure.Digest(rawValue: digest)))
      }
    }
    var ancestors: [String] = []
    if case .array(let names)? = line["ancestors"] {
      ancestors = names.compactMap { if case .string(let name) = $0 { name } else { nil } }
    }
    return StoredReceipt(
      receipt: receipt, store: StoreIdentity(rawValue: store), ancestors: ancestors, key: keys[keyID] ?? [],
      keyID: keyID,
      traces: traces)
  }

  /// The lines that are JSON objects.
  private static func lines(_ content: [UInt8]) -> [JSON] {
    content.split(separator: UInt8(ascii: "\n")).compactMap { line in
      let value = try? JSON(text: String(decoding: line, as: UTF8.self))  // One that was cut short is left out.
      return value?.members == nil ? nil : value
    }
  }
}
