import ByteCoding
import EpisodicMemory
import LMDB

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A value of the database `entries`, read in place. Its key is the hash of the `CacheKey`.
///
/// Layout, little-endian; offsets in bytes:
///
/// | at | | |
/// | --- | --- | --- |
/// | 0 | UInt64 | `Checksum` of all that follows, seeded with the key's hash and the generation of the files |
/// | 8 | Int64 | deadline, milliseconds since 1970: expired from then on |
/// | 16 | Int64 | revision of the primary's snapshot that the value was read from |
/// | 24 | UInt64 | sequence: the number of its fill, its key in `window` or `main` |
/// | 32 | Int64 | time of its fill, milliseconds since 1970 |
/// | 40 | UInt8 | layout, 2 |
/// | 41 | UInt8 | kind of key |
/// | 42 | UInt8 | 1 if the primary has nothing under the key, and there is no payload |
/// | 44 | UInt16 | count of tags |
/// | 48 | UInt32 | bytes of the key's name |
/// | 56 | UInt64 each | hashes of the tags it depends on |
/// | | UTF-8 | the key's name: a hash may collide |
/// | | | payload: the value as its `Cacheable` encodes it, up to the end |
///
/// The bytes are borrowed: an entry must not outlive the closure that lent them. No bytes make it read out of bounds.
struct CacheEntry {
  static let layout: UInt8 = 2
  static let maximumTags = 256
  private static let headerCount = 56

  private let bytes: UnsafeRawBufferPointer
  let tagCount: Int
  private let nameCount: Int

  /// - Returns: `nil` if the bytes are not laid out so. They are not verified.
  init?(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= Self.headerCount, bytes[40] == Self.layout else { return nil }
    self.bytes = bytes
    tagCount = Int(bytes.integer(at: 44, as: UInt16.self))
    nameCount = Int(bytes.integer(at: 48, as: UInt32.self))
    guard nameCount <= bytes.count - Self.headerCount - 8 * tagCount else { return nil }
  }

  /// - Returns: `nil` unless the bytes were stored under this hash in this generation of the files.
  /// - Complexity: One pass over the bytes.
  init?(verifying bytes: UnsafeRawBufferPointer, hash: UInt64, generation: UInt64) {
    self.init(bytes)
    guard bytes.integer(at: 0) == Self.checksum(of: bytes, seed: hash ^ generation) else { return nil }
  }

  var deadline: Int64 { bytes.integer(at: 8) }
  var revision: Int64 { bytes.integer(at: 16) }
  var sequence: UInt64 { bytes.integer(at: 24) }
  var filledAt: Int64 { bytes.integer(at: 32) }
  var isAbsent: Bool { bytes[42] == 1 }
  var kind: CacheKey.Kind? { CacheKey.Kind(rawValue: bytes[41]) }

  /// - Parameter index: Less than `tagCount`.
  func tag(_ index: Int) -> UInt64 { bytes.integer(at: Self.headerCount + 8 * index) }

  /// `nil` if the name is not UTF-8 or the kind is unknown.
  var key: CacheKey? {
    guard let kind, let name = String(validating: name, as: UTF8.self) else { return nil }
    return CacheKey(kind, name)
  }

  var payloadStart: Int { Self.headerCount + 8 * tagCount + nameCount }

  var payload: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[payloadStart...]) }

  func isOf(_ key: CacheKey) -> Bool {
    guard bytes[41] == key.kind.rawValue else { return false }
    var name = key.name
    return name.withUTF8 { utf8 in
      guard utf8.count == nameCount else { return false }
      guard let stored = self.name.baseAddress, let given = utf8.baseAddress else { return true }
      return memcmp(stored, given, nameCount) == 0
    }
  }

  private var name: UnsafeRawBufferPointer {
    let start = Self.headerCount + 8 * tagCount
    return UnsafeRawBufferPointer(rebasing: bytes[start..<start + nameCount])
  }

  @inline(__always)
  private static func checksum(of bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
    Checksum.of(UnsafeRawBufferPointer(rebasing: bytes[8...]), seed: seed)
  }

  // MARK: Encoding

  /// The bytes of an entry; `seal` completes them.
  static func bytes(
    of value: (any Cacheable)?, for key: CacheKey, tags: [UInt64], revision: Int64, deadline: Int64, filledAt: Int64
  ) -> [UInt8] {
    var writer = ByteWriter(capacity: 4096)
    writer.write(UInt64(0))
    writer.write(deadline)
    writer.write(revision)
    writer.write(UInt64(0))
    writer.write(filledAt)
    writer.write(layout)
    writer.write(key.kind.rawValue)
    writer.write(UInt16(value == nil ? 1 : 0))
    writer.write(UInt32(clamping: tags.count))
    writer.write(UInt64(clamping: key.name.utf8.count))
    for tag in tags { writer.write(tag) }
    writer.writeRaw(key.name)
    value?.encode(to: &writer)
    return writer.bytes
  }

  /// Sets the sequence, and the checksum over everything.
  static func seal(_ bytes: inout [UInt8], sequence: UInt64, hash: UInt64, generation: UInt64) {
    bytes.withUnsafeMutableBytes { bytes in
      bytes.store(sequence, at: 24)
      bytes.store(checksum(of: UnsafeRawBufferPointer(bytes), seed: hash ^ generation), at: 0)
    }
  }
}

/// A row of the databases `window` and `main`: what evicting an entry takes, without reading the entry. Its key is the
/// entry's sequence.
///
/// Layout, little-endian: hash of the entry's key UInt64, its deadline Int64, its cost UInt32, its kind UInt8.
struct OrderRow: Equatable {
  static let byteCount = 21

  let hash: UInt64
  let deadline: Int64
  /// As `PageCost` counts it.
  let cost: UInt32
  let kind: CacheKey.Kind

  init(hash: UInt64, deadline: Int64, cost: UInt32, kind: CacheKey.Kind) {
    self.hash = hash
    self.deadline = deadline
    self.cost = cost
    self.kind = kind
  }

  /// - Throws: `.damaged` if the bytes are no such row.
  init(_ row: RawSpan) throws(LMDBError) {
    let decoded = row.withUnsafeBytes { bytes -> OrderRow? in
      guard bytes.count == Self.byteCount, let kind = CacheKey.Kind(rawValue: bytes[20]) else { return nil }
      return OrderRow(
        hash: bytes.integer(at: 0), deadline: bytes.integer(at: 8), cost: bytes.integer(at: 16), kind: kind)
    }
    guard let decoded else { throw LMDBError(.damaged, message: "a row of the cache's order is damaged") }
    self = decoded
  }

  var bytes: [UInt8] {
    var writer = ByteWriter(capacity: Self.byteCount)
    writer.write(hash)
    writer.write(deadline)
    writer.write(cost)
    writer.write(kind.rawValue)
    return writer.bytes
  }
}

// Keys and tags in LMDB are 64-bit hashes, seeded so that an episode and a pattern of one name differ. Hashes may collide:
// an entry carries its full key, so a collision is a miss; tags that collide go stale together.

extension CacheKey {
  var hash: UInt64 { Checksum.of(name, seed: UInt64(kind.rawValue)) }
}

extension CacheTag {
  var hash: UInt64 {
    let hash =
      switch self {
      case .domain(let domain, includingActive: false): Checksum.of(domain, seed: 0x13)
      case .domain(let domain, includingActive: true): Checksum.of(domain, seed: 0x14)
      case .everything(includingActive: false): Checksum.of(0, seed: 0x15)
      case .everything(includingActive: true): Checksum.of(0, seed: 0x16)
      }
    return hash == TagTable.floor ? 1 : hash
  }
}
