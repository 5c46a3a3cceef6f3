import ByteCoding
import EpisodicMemory

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A cached value as it lies in LMDB, looked at in place.
///
/// Layout, little-endian; offsets in bytes:
///
/// | at | | |
/// | --- | --- | --- |
/// | 0 | UInt64 | checksum: `Checksum` over all that follows, seeded with the key's hash and the epoch of the files |
/// | 8 | Int64 | deadline, milliseconds since 1970: from then on expired |
/// | 16 | Int64 | revision of the primary's snapshot the value was read from |
/// | 24 | UInt64 | sequence: the number of its fill, its row in `window` or `main` |
/// | 32 | Int64 | when it was filled, milliseconds since 1970 |
/// | 40 | UInt8 | layout, 2 |
/// | 41 | UInt8 | kind of key |
/// | 42 | UInt8 | 1 where the primary has nothing under the key, and there is no payload |
/// | 44 | UInt16 | count of tags |
/// | 48 | UInt32 | bytes of the key's name |
/// | 56 | UInt64 each | hashes of the tags it depends on, but for the one that drops it |
/// | | UTF-8 | the key's name, to rule out collisions |
/// | | | payload: the value as its `Cacheable` wrote it, up to the end |
///
/// The bytes are borrowed: it must not outlive the closure that lent them. What its fields say is trusted only after
/// `isIntact`, but no bytes whatever make it read out of bounds.
struct CacheEntry {
  static let layout: UInt8 = 2
  static let maximumTags = 256
  private static let headerCount = 56

  private let bytes: UnsafeRawBufferPointer
  let tagCount: Int
  private let keyCount: Int

  /// `nil` where the bytes are not laid out so.
  init?(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= Self.headerCount, bytes[40] == Self.layout else { return nil }
    self.bytes = bytes
    tagCount = Int(bytes.integer(at: 44, as: UInt16.self))
    keyCount = Int(bytes.integer(at: 48, as: UInt32.self))
    guard keyCount <= bytes.count - Self.headerCount - 8 * tagCount else { return nil }
  }

  var deadline: Int64 { bytes.integer(at: 8) }
  var revision: Int64 { bytes.integer(at: 16) }
  var sequence: UInt64 { bytes.integer(at: 24) }
  var filledAt: Int64 { bytes.integer(at: 32) }
  var isAbsent: Bool { bytes[42] == 1 }
  var kind: CacheKey.Kind? { CacheKey.Kind(rawValue: bytes[41]) }

  /// - Parameter index: Less than `tagCount`.
  func tag(_ index: Int) -> UInt64 { bytes.integer(at: Self.headerCount + 8 * index) }

  /// `nil` where the name is not UTF-8 or the kind is unknown.
  var key: CacheKey? {
    guard let kind, let name = String(validating: name, as: UTF8.self) else { return nil }
    return CacheKey(kind, name)
  }

  /// Where the payload begins.
  var payloadStart: Int { Self.headerCount + 8 * tagCount + keyCount }

  var payload: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[payloadStart...]) }

  func isOf(_ key: CacheKey) -> Bool {
    guard bytes[41] == key.kind.rawValue else { return false }
    var name = key.name
    return name.withUTF8 { utf8 in
      guard utf8.count == keyCount else { return false }
      guard let stored = self.name.baseAddress, let wanted = utf8.baseAddress else { return true }
      return memcmp(stored, wanted, keyCount) == 0
    }
  }

  /// Whether the bytes are those that were stored under this key in this life of the files.
  ///
  /// - Complexity: One pass over the bytes.
  func isIntact(keyHash: UInt64, epoch: UInt64) -> Bool {
    bytes.integer(at: 0) == Self.checksum(bytes, keyHash: keyHash, epoch: epoch)
  }

  private var name: UnsafeRawBufferPointer {
    let start = Self.headerCount + 8 * tagCount
    return UnsafeRawBufferPointer(rebasing: bytes[start..<start + keyCount])
  }

  private static func checksum(_ bytes: UnsafeRawBufferPointer, keyHash: UInt64, epoch: UInt64) -> UInt64 {
    Checksum.of(UnsafeRawBufferPointer(rebasing: bytes[8...]), seed: keyHash ^ epoch)
  }

  // MARK: Making one

  /// Lays a value out, or that there is none; `seal` completes it.
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

  /// Gives it its place in the order, and the checksum over everything.
  static func seal(_ bytes: inout [UInt8], sequence: UInt64, keyHash: UInt64, epoch: UInt64) {
    bytes.withUnsafeMutableBytes { bytes in
      bytes.store(sequence, at: 24)
      let checksum = checksum(UnsafeRawBufferPointer(bytes), keyHash: keyHash, epoch: epoch)
      bytes.store(checksum, at: 0)
    }
  }
}
