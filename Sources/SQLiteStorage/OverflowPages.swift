/// The pages of a database file that hold what of a row is too long for the page of its cell, and how much of each is used.
///
/// www.sqlite.org/fileformat.html#cell_payload_overflow_pages.
package struct OverflowPages: Sendable {
  /// The first unused byte, by page.
  private var ends: [Int: Int] = [:]

  package init() {}

  /// `nil` for a page that is none.
  func firstUnusedByte(of page: Int) -> Int? { ends[page] }

  /// Adds those of the cells of a page.
  ///
  /// - Parameter header: Where the header of the page begins: 100 in the first page.
  /// - Parameter next: Reads the number with which a page begins; `nil` behind the end of the file.
  mutating func add(
    _ page: UnsafeRawBufferPointer, header: Int, usableSize: Int, next: (_ page: Int) throws -> Int?
  ) rethrows {
    let isTable = page[header] == 0x0d
    guard isTable || page[header] == 0x0a || page[header] == 0x02 else { return }
    let isInterior = page[header] == 0x02
    let pointers = header + (isInterior ? 12 : 8)
    let count = page.short(at: header + 3)
    guard pointers + 2 * count <= page.count else { return }
    for index in 0..<count {
      var cell = page.short(at: pointers + 2 * index) + (isInterior ? 4 : 0)
      guard let size = page.varint(at: &cell), !isTable || page.varint(at: &cell) != nil else { continue }
      let most = isTable ? usableSize - 35 : (usableSize - 12) * 64 / 255 - 23
      guard size > most, size <= 1 << 31 else { continue }
      let least = (usableSize - 12) * 32 / 255 - 23
      let fitting = least + (size - least) % (usableSize - 4)
      let local = fitting <= most ? fitting : least
      guard cell + local + 4 <= page.count else { continue }
      try follow(from: page.integer(at: cell + local), bytes: size - local, usableSize, next)
    }
  }

  private mutating func follow(
    from first: Int, bytes: Int, _ usableSize: Int, _ next: (_ page: Int) throws -> Int?
  ) rethrows {
    var (number, left) = (first, bytes)
    while left > 0, number > 0 {
      ends[number] = min(4 + left, usableSize)
      left -= usableSize - 4
      guard let following = try next(number) else { return }
      number = following
    }
  }
}

extension UnsafeRawBufferPointer {
  func short(at offset: Int) -> Int { Int(self[offset]) << 8 | Int(self[offset + 1]) }

  func integer(at offset: Int) -> Int { self[offset..<(offset + 4)].reduce(0) { $0 << 8 | Int($1) } }

  /// www.sqlite.org/fileformat.html#varint.
  ///
  /// - Parameter offset: Moves behind it.
  /// - Returns: `nil` behind the end, and for a number of more than eight bytes.
  func varint(at offset: inout Int) -> Int? {
    var value = 0
    for _ in 0..<8 {
      guard offset < count else { return nil }
      let byte = self[offset]
      offset += 1
      value = value << 7 | Int(byte & 0x7f)
      if byte < 0x80 { return value }
    }
    return nil
  }
}
