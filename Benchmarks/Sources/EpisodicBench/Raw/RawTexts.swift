import CRawSQLite

/// Owns the bytes that `raw_text`s point at.
final class RawTexts {
  private var owned: [UnsafeMutableRawBufferPointer] = []

  deinit {
    for bytes in owned { bytes.deallocate() }
  }

  func text(_ string: String?) -> raw_text {
    guard var string else { return raw_text(bytes: nil, count: 0) }
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, string.utf8.count), alignment: 1)
    string.withUTF8 { bytes.copyMemory(from: UnsafeRawBufferPointer($0)) }
    owned.append(bytes)
    return raw_text(bytes: bytes.baseAddress?.assumingMemoryBound(to: CChar.self), count: Int32(string.utf8.count))
  }
}
