/// The pages of a damaged database that are free, which may still hold rows that were deleted.
struct FreeList: Sendable {
  /// The pages of the list, those that only list others included.
  private(set) var pages: Set<UInt32> = []
  /// Whether the list is known from its beginning to its end.
  private(set) var isWhole = false

  /// - Parameter kinds: By page; those of trees and those that cannot be read list no others.
  init(_ pages: DamagedPages, kinds: [UInt8]) {
    let header = pages.bytes(1) ?? []
    if header.starts(with: "SQLite format 3\0".utf8), let first = header.integer32(at: 32),
      let count = header.integer32(at: 36), let listed = Self.walk(pages, from: first), listed.count == Int(count)
    {
      self.pages = listed
      isWhole = true
      return
    }
    // Without its beginning: any page that reads as a part of the list is one.
    for number in 2...max(2, pages.count) where number <= pages.count && kinds[Int(number)] == 0 {
      guard let (next, listed) = Self.trunk(pages, number), !listed.isEmpty || next != 0 else { continue }
      self.pages.insert(number)
      self.pages.formUnion(listed)
    }
  }

  /// - Returns: `nil` if the list is damaged.
  private static func walk(_ pages: DamagedPages, from first: UInt32) -> Set<UInt32>? {
    var all: Set<UInt32> = []
    var next = first
    while next != 0 {
      guard all.insert(next).inserted, let (following, listed) = trunk(pages, next) else { return nil }
      for page in listed where !all.insert(page).inserted { return nil }
      next = following
    }
    return all
  }

  /// The pages that a page of the list lists, and the page of the list after it.
  private static func trunk(_ pages: DamagedPages, _ number: UInt32) -> (next: UInt32, pages: [UInt32])? {
    guard let bytes = pages.bytes(number), let next = bytes.integer32(at: 0), let count = bytes.integer32(at: 4),
      next <= pages.count, next != number, count <= pages.usableSize / 4 - 2
    else { return nil }
    var listed: [UInt32] = []
    for index in 0..<Int(count) {
      guard let page = bytes.integer32(at: 8 + 4 * index), page > 1, page <= pages.count else { return nil }
      listed.append(page)
    }
    return Set(listed).count == listed.count ? (next, listed) : nil
  }
}

/// In a database with `auto_vacuum`, the pages that say what the others are for: www.sqlite.org/fileformat.html#pointer_map_or_ptrmap_pages
struct PointerMap: Sendable {
  private let pages: DamagedPages
  private let perPage: UInt32

  /// - Returns: `nil` if the database has none.
  init?(_ pages: DamagedPages) {
    self.pages = pages
    perPage = UInt32(pages.usableSize / 5)
    guard pages.count > 2, let first = pages.bytes(2) else { return nil }
    // The header says so too, but may be damaged. The entry of the first page is that of page 3, a root or some other page.
    let entries = min(Int(perPage), Int(pages.count) - 2, 16)
    let areEntries = (0..<entries).allSatisfy { index in
      guard let parent = first.integer32(at: 5 * index + 1) else { return false }
      return (1...5).contains(first[5 * index]) && parent <= pages.count
    }
    guard areEntries else { return nil }
  }

  func contains(_ number: UInt32) -> Bool { number >= 2 && (number - 2) % (perPage + 1) == 0 }

  func isFree(_ number: UInt32) -> Bool { entry(of: number)?.kind == .free }

  /// What a page is for, and the page that leads to it.
  struct Entry: Hashable {
    enum Kind: UInt8 { case root = 1, free, firstOverflow, laterOverflow, tree }
    let kind: Kind
    let parent: UInt32
  }

  /// - Returns: `nil` for a page of the map itself, and if it says nothing.
  func entry(of number: UInt32) -> Entry? {
    guard number > 2, !contains(number), let entries = pages.bytes(page(for: number)) else { return nil }
    let place = 5 * Int(number - page(for: number) - 1)
    guard place + 5 <= entries.count, let kind = Entry.Kind(rawValue: entries[place]),
      let parent = entries.integer32(at: place + 1)
    else { return nil }
    return Entry(kind: kind, parent: parent)
  }

  /// The page of the map that has the entry of a page.
  func page(for number: UInt32) -> UInt32 { (number - 2) / (perPage + 1) * (perPage + 1) + 2 }
}
