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

  package init(in directory: String) { self.directory = directory }

  // MARK: Writing

  /// Adds a receipt, durably, unless it is there.
  package func add(_ stored: StoredReceipt) throws(MemoryError) {
    do throws(FileError) {
      let place = try PrivateDirectory<FileError>(creatingAt: directory)
      let keyID = Self.identifier(of: stored.key)
      let key: JSON = ["id": .string(keyID), "key": .string(stored.key.hexadecimal)]
      // The key first: a receipt without it is of no use.
      try append(key, named: keyID, to: Self.keyName, in: place)
      try append(Self.line(stored, keyID), named: stored.receipt.id.rawValue, to: Self.name, in: place)
      try OpenFile<FileError>.directory(directory).sync()
    } catch {
      throw MemoryError(.unavailable, "the receipt of an erasure cannot be kept: \(error.message)", cause: error)
    }
  }

  private static let timeout = Duration.seconds(10)

  private func append(
    _ line: JSON, named id: String, to name: String, in place: PrivateDirectory<FileError>
  ) throws(FileError) {
    let lock = FileLock(try place.createFile(name))
    try lock.withLock(timeout: Self.timeout) { () throws(FileError) in
      let content = try lock.file.read(Int(clamping: lock.file.status().size), at: 0)
      let isThere = Self.lines(content).contains { line in
        if case .string(id)? = line["id"] { true } else { false }
      }
      if isThere { return }
      let newline = UInt8(ascii: "\n")
      let separator: [UInt8] = content.isEmpty || content.last == newline ? [] : [newline]
      try lock.file.append(separator + Array(line.canonicalText.utf8) + [newline])
      try lock.file.sync()
    }
  }

  private static func line(_ stored: StoredReceipt, _ keyID: String) -> JSON {
    var digests = JSON.Object()
    for (subject, traces) in Dictionary(grouping: stored.traces, by: \.subject) {
      digests[subject.rawValue] = .array(traces.map { .string($0.digest.rawValue) })
    }
    return [
      "id": .string(stored.receipt.id.rawValue), "store": .string(stored.store.rawValue), "key_id": .string(keyID),
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

  private static func identifier(of key: [UInt8]) -> String { String(SHA256.digest(of: key).hexadecimal.prefix(16)) }

  // MARK: Reading

  /// All receipts, in the order in which they were added; none if there is no file.
  package func receipts() throws(MemoryError) -> [StoredReceipt] {
    let content: [UInt8]
    let keyContent: [UInt8]
    do throws(FileError) {
      guard let place = try PrivateDirectory<FileError>(at: directory), let file = try place.openFile(Self.name),
        let keys = try place.openFile(Self.keyName)
      else { return [] }
      content = try file.read(Int(clamping: file.status().size), at: 0)
      keyContent = try keys.read(Int(clamping: keys.status().size), at: 0)
    } catch {
      throw MemoryError(.unavailable, "the receipts of erasures cannot be read: \(error.message)", cause: error)
    }
    var keys: [String: [UInt8]] = [:]
    for line in Self.lines(keyContent) {
      guard case .string(let id)? = line["id"], case .string(let key)? = line["key"],
        let bytes = [UInt8](hexadecimal: key)
      else { continue }
      keys[id] = bytes
    }
    return Self.lines(content).compactMap { line in Self.receipt(in: line, keys) }
  }

  private static func receipt(in line: JSON, _ keys: [String: [UInt8]]) -> StoredReceipt? {
    guard case .string(let store)? = line["store"], case .string(let keyID)? = line["key_id"], let key = keys[keyID],
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
    return StoredReceipt(receipt: receipt, store: StoreIdentity(rawValue: store), key: key, traces: traces)
  }

  /// The lines that are JSON objects.
  private static func lines(_ content: [UInt8]) -> [JSON] {
    content.split(separator: UInt8(ascii: "\n")).compactMap { line in
      let value = try? JSON(text: String(decoding: line, as: UTF8.self))  // One that was cut short is left out.
      return value?.members == nil ? nil : value
    }
  }
}
