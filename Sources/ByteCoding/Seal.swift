/// The last eight bytes of a stored value: its checksum, bound to the value's key and to the generation of the files, so
/// that a value under another key or of earlier files is refused. LMDB itself keeps no checksums.
///
/// ```swift
/// let seal = Seal(key: key, generation: generation)
/// try transaction.put(seal.sealed(content).span.bytes, for: key, in: database)    // appends the checksum
/// let content = try seal.open(value)                                              // verifies it and leaves it out
/// ```
@usableFromInline package struct Seal {
  @inlinable package static var byteCount: Int { 8 }

  @usableFromInline let seed: UInt64

  @inlinable
  package init(key: UInt64, generation: UInt64) { seed = Checksum.of(key, seed: generation) }

  @inlinable
  package init(key: RawSpan, generation: UInt64) { seed = Checksum.of(key, seed: generation) }

  /// The content with its checksum appended.
  package func sealed(_ content: consuming [UInt8]) -> [UInt8] {
    let checksum = Checksum.of(content.span.bytes, seed: seed)
    withUnsafeBytes(of: checksum.littleEndian) { content.append(contentsOf: $0) }
    return content
  }

  /// The content of a sealed value.
  ///
  /// - Parameter verified: Values that need no second verification; `nil` for a value that changes often.
  @inlinable
  @_lifetime(copy value)
  package func open(_ value: RawSpan, verified: VerifiedValues? = nil) throws(MalformedBytes) -> RawSpan {
    let content = try Self.content(of: value)
    let stored = Self.checksum(of: value)
    if let verified, verified.contains(stored) { return content }
    guard Checksum.of(content, seed: seed) == stored else { throw MalformedBytes() }
    verified?.insert(stored)
    return content
  }

  /// As `open(_:verified:)`, but of a value that was verified before not even the key is hashed.
  @inlinable
  @_lifetime(copy value)
  package static func open(
    _ value: RawSpan, key: RawSpan, generation: UInt64, verified: VerifiedValues
  ) throws(MalformedBytes) -> RawSpan {
    if verified.contains(checksum(of: value)) { return try content(of: value) }
    return try Seal(key: key, generation: generation).open(value, verified: verified)
  }

  /// Decodes the content of a sealed value with `read`, which must consume all of it.
  @inlinable
  package func decode<Value>(
    _ value: RawSpan, _ read: (inout ByteReader) throws(MalformedBytes) -> Value
  ) throws(MalformedBytes) -> Value {
    try ByteReader.decode(try open(value), read)
  }

  /// The content, not verified.
  @inlinable
  @_lifetime(copy value)
  package static func content(of value: RawSpan) throws(MalformedBytes) -> RawSpan {
    guard value.byteCount >= byteCount else { throw MalformedBytes() }
    return value.extracting(droppingLast: byteCount)
  }

  /// The checksum that a value carries, not verified; 0 if it is too short to carry one.
  @inlinable
  package static func checksum(of value: RawSpan) -> UInt64 {
    value.byteCount < byteCount ? 0 : value.withUnsafeBytes { $0.integer(at: $0.count - byteCount) }
  }
}
