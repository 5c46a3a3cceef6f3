/// Numbers of SQLite's file format, read from bytes that may be anything.
extension RandomAccessCollection where Element == UInt8, Index == Int {
  /// Big-endian, at a distance from the start; `nil` if it is not inside.
  func integer16(at offset: Int) -> Int? {
    guard offset >= 0, offset <= count - 2 else { return nil }
    return Int(self[startIndex + offset]) << 8 | Int(self[startIndex + offset + 1])
  }

  func integer32(at offset: Int) -> UInt32? {
    guard let high = integer16(at: offset), let low = integer16(at: offset + 2) else { return nil }
    return UInt32(high) << 16 | UInt32(low)
  }

  func integer64(at offset: Int) -> UInt64? {
    guard let high = integer32(at: offset), let low = integer32(at: offset + 4) else { return nil }
    return UInt64(high) << 32 | UInt64(low)
  }

  /// A number of 1 to 9 bytes: 7 bits of each, all 8 of the ninth.
  ///
  /// - Parameter offset: Moved behind it.
  func varint(at offset: inout Int) -> UInt64? {
    var value: UInt64 = 0
    for position in 0..<9 {
      guard offset >= 0, offset < count else { return nil }
      let byte = self[startIndex + offset]
      offset += 1
      if position == 8 { return value << 8 | UInt64(byte) }
      value = value << 7 | UInt64(byte & 0x7F)
      if byte & 0x80 == 0 { return value }
    }
    return nil
  }
}

enum PageSize {
  static func isValid(_ size: Int) -> Bool { size >= 512 && size <= 65536 && size & (size - 1) == 0 }
}

/// A value as it stands in a row.
package enum StoredValue: Hashable, Sendable {
  case null
  case integer(Int64)
  case real(Double)
  /// UTF-8, if it is whole.
  case text([UInt8])
  case blob([UInt8])
}

/// The format of rows and index entries: www.sqlite.org/fileformat.html#record_format
enum Record {
  /// - Returns: `nil` unless the bytes are one record from the first to the last.
  static func values(of payload: [UInt8]) -> [StoredValue]? {
    var at = 0
    guard let size = payload.varint(at: &at), let headerSize = Int(exactly: size), headerSize >= at,
      headerSize <= payload.count
    else { return nil }
    var body = headerSize
    var values: [StoredValue] = []
    while at < headerSize {
      guard let type = payload.varint(at: &at), at <= headerSize, let length = length(of: type),
        length <= payload.count - body
      else { return nil }
      values.append(value(type, payload[body..<body + length]))
      body += length
    }
    return body == payload.count ? values : nil
  }

  /// Bytes of a value of that type; `nil` if there is no such type.
  private static func length(of type: UInt64) -> Int? {
    switch type {
    case 0, 8, 9: 0
    case 1...4: Int(type)
    case 5: 6
    case 6, 7: 8
    case 10, 11: nil
    default: Int(exactly: (type - 12) / 2)
    }
  }

  private static func value(_ type: UInt64, _ bytes: ArraySlice<UInt8>) -> StoredValue {
    switch type {
    case 0: .null
    case 8: .integer(0)
    case 9: .integer(1)
    case 7: .real(Double(bitPattern: bytes.reduce(0) { $0 << 8 | UInt64($1) }))
    case 1...6:
      // The sign is that of the first byte.
      .integer(bytes.dropFirst().reduce(Int64(Int8(bitPattern: bytes.first ?? 0))) { $0 << 8 | Int64($1) })
    default: type % 2 == 0 ? .blob(Array(bytes)) : .text(Array(bytes))
    }
  }
}
