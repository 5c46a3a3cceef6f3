/// A key and its value where a cursor stands, in place.
public struct Entry: ~Escapable {
  public let key: RawSpan
  /// Without alignment, and without anything that vouches for its bytes.
  public let value: RawSpan

  @_lifetime(copy key, copy value)
  init(key: RawSpan, value: RawSpan) {
    self.key = key
    self.value = value
  }

  /// The key of a database of integers; `nil` where keys are bytes of another length than 8.
  public var integerKey: UInt64? {
    guard key.byteCount == MemoryLayout<UInt64>.size else { return nil }
    return unsafe key.unsafeLoadUnaligned(as: UInt64.self)
  }
}
