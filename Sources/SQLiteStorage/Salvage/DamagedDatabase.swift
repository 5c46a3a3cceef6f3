/// A damaged database: what of its rows can be read, whether or not the way to them is whole.
///
/// A row is found where the tree of its table leads to it; in pages that no tree leads to any more and that are not free; and
/// in pages that took the place of others. Such a page does not say of which table it is: that is seen by its rows.
package struct DamagedDatabase: Sendable {
  /// A page that may hold rows of a table.
  package struct Place: Sendable {
    package let page: UInt32
    /// Whether the tree of the table leads to it.
    package let isReached: Bool
  }

  /// What a cell of a page gave.
  package enum Found: Sendable {
    /// - Parameter rowID: `nil` for a table without row ids.
    case row(rowID: Int64?, [StoredValue])
    case nothing(reason: String)
  }

  package let path: String
  package var pageSize: Int { pages.pageSize }
  package var pageCount: Int { Int(pages.count) }
  /// Pages that cannot be read, or are filled with zeros without being free.
  package let lostPages: [UInt32]
  /// Frames of the log that are part of the database, and those that are not: never committed, or damaged.
  package var logFrames: (used: Int, unused: Int) {
    guard let log = pages.log else { return (0, 0) }
    return (log.frames, max(0, log.framesInFile - log.frames))
  }

  private let pages: DamagedPages
  private let reader: CellReader
  private let trees: [String: TreeSurvey]
  /// Pages of trees of the table in whose place there is something else.
  private let wrongPages: [String: Set<UInt32>]
  /// Pages by the table that their rows are of, although its tree does not lead to them.
  private let strays: [String: [UInt32]]
  private let countsStrays: Bool

  /// Surveys a database that nobody has open, and keeps others from opening it until this value and its copies are gone.
  ///
  /// Cost: reads every page four times; about 10 bytes of memory for each.
  ///
  /// - Parameter recognise: The table that a row is of, by its row id, if it has one, and values; `nil` if of none that matters.
  /// - Parameter progress: Called now and then with pages read, and their number.
  /// - Throws: `StorageError.missing`, `.inUse`, `.damaged` if no page can be recognised.
  package init(
    path: String, recognise: (_ rowID: Int64?, [StoredValue]) -> String?,
    progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws {
    let files = DatabaseFiles(path: path)
    self.path = files.path
    let pages = try DamagedPages(files)
    self.pages = pages
    var reader = CellReader(pages: pages)
    let map = PointerMap(pages)
    var kinds = [UInt8](repeating: 0, count: Int(pages.count) + 1)
    var blank: [UInt32] = []
    var number: UInt32 = 0
    while number < pages.count {
      number += 1
      if number % 4096 == 0 { progress(Int(number), Int(pages.count)) }
      if map?.contains(number) == true { continue }
      guard let bytes = pages.bytes(number), bytes.contains(where: { $0 != 0 }) else {
        blank.append(number)
        continue
      }
      kinds[Int(number)] =
        TreePage(
          bytes, headerOffset: number == 1 ? 100 : 0, usableSize: pages.usableSize)?.kind.rawValue ?? 0
    }

    let free = FreeList(pages, kinds: kinds)
    if let map {
      let numbers = (1...pages.count).lazy.filter { kinds[Int($0)] != 0 && !free.pages.contains($0) }
      reader.links = OverflowLinks(map, reader, numbers)
    }
    self.reader = reader
    var owned: Set<UInt32> = []
    var trees: [String: TreeSurvey] = [:]
    let schema = TreeSurvey(root: 1, isOfTable: true, pages, owned: &owned)
    let entries = Self.entries(schema, reader)
    isDamagedSchema = !schema.isWhole || entries.isEmpty
    for entry in entries {
      trees[entry.name] = TreeSurvey(root: entry.root, isOfTable: entry.isOfTable, pages, owned: &owned)
    }
    // A list that claims pages of trees is damaged.
    countsStrays = free.isWhole && free.pages.isDisjoint(with: owned)
    let isStray = { (number: UInt32) in
      !owned.contains(number) && !free.pages.contains(number) && map?.isFree(number) != true
    }
    lostPages = blank.filter(isStray)

    func table(of number: UInt32) -> String? {
      guard let page = pages.tree(number), page.kind != .tableInterior else { return nil }
      for cell in page.cells {
        if let row = try? reader.row(page, at: cell, of: number), let name = recognise(row.rowID, row.values) {
          return name
        }
      }
      return nil
    }
    var strays: [String: [UInt32]] = [:]
    var wrongPages: [String: Set<UInt32>] = [:]
    for (tree, survey) in trees {
      // The entries of an index look like each other and like rows; only rows with ids are told apart for certain.
      for number in survey.pages where kinds[Int(number)] == TreePage.Kind.tableLeaf.rawValue {
        guard let found = table(of: number), found != tree else { continue }
        wrongPages[tree, default: []].insert(number)
        strays[found, default: []].append(number)
      }
    }
    for number in kinds.indices where kinds[number] != 0 && isStray(UInt32(number)) {
      if let found = table(of: UInt32(number)) { strays[found, default: []].append(UInt32(number)) }
    }
    self.trees = trees
    self.wrongPages = wrongPages
    self.strays = strays
  }

  /// Tables and indexes that the schema lists, as far as it can be read.
  private static func entries(
    _ schema: TreeSurvey, _ reader: CellReader
  ) -> [(name: String, root: UInt32, isOfTable: Bool)] {
    var entries: [(name: String, root: UInt32, isOfTable: Bool)] = []
    for number in schema.pages {
      guard let page = reader.pages.tree(number) else { continue }
      for cell in page.cells {
        // The schema of tables that cannot be read is that of this build.
        guard let row = try? reader.row(page, at: cell, of: number), row.values.count == 5,
          case .text(let name) = row.values[1],
          case .integer(let root) = row.values[3], let root = UInt32(exactly: root), root > 1,
          let tree = reader.pages.tree(root)
        else { continue }
        entries.append((String(decoding: name, as: UTF8.self), root, tree.kind.isOfTable))
      }
    }
    return entries
  }

  // MARK: Tables

  /// Whether the schema and the tree of a table are whole, so that all its rows were reached.
  package func isWhole(_ table: String) -> Bool { trees[table]?.isWhole == true && wrongPages[table] == nil }

  /// Whether a part of the schema is lost, so that a table may be there although it is not listed.
  package let isDamagedSchema: Bool

  /// Whether there is a table of that name, as far as the schema can be read.
  package func lists(_ table: String) -> Bool { trees[table] != nil }

  /// Row ids of a table whose page is lost, or has to be found without the tree.
  package func gaps(in table: String) -> [ClosedRange<Int64>] { trees[table]?.gaps ?? [] }

  /// The pages that may hold rows of a table, those that its tree leads to first.
  package func places(of table: String) -> [Place] {
    let wrong = wrongPages[table] ?? []
    let reached = (trees[table]?.pages ?? []).filter { !wrong.contains($0) }.map { Place(page: $0, isReached: true) }
    // Without the list of free pages a stray page may be one whose rows were deleted.
    guard countsStrays || !isWhole(table) else { return reached }
    return reached + (strays[table] ?? []).map { Place(page: $0, isReached: false) }
  }

  /// What the cells of a page hold, in their order.
  package func rows(on number: UInt32) -> [Found] {
    guard let page = pages.tree(number), page.kind != .tableInterior else {
      return [.nothing(reason: "page \(number) cannot be read")]
    }
    return page.cells.map { cell in
      do throws(CellReader.Fault) {
        let row = try reader.row(page, at: cell, of: number)
        return .row(rowID: row.rowID, row.values)
      } catch {
        return .nothing(reason: "a row of page \(number): \(error.rawValue)")
      }
    }
  }
}
