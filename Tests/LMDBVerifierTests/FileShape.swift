import LMDB
import TestSupport

/// A way to fill a data file, so that together they have every kind of page.
enum FileShape: String, CaseIterable, Codable {
  case empty
  case oneEntry
  case deepTree
  case largeValues
  case freeList
  case databases
  case shrunk
  case random

  /// Opens, fills and closes. More than once, it changes what is there.
  func fill(_ path: String, _ random: inout SeededGenerator) throws(LMDBError) {
    let environment = try Environment.open(at: path, options: .testing)
    if self == .empty { return }
    let bytes = try environment.database(named: "bytes")
    let integers = try environment.database(named: "integers", keys: .integers)
    switch self {
    case .empty: break
    case .oneEntry: try environment.put([1], for: "k", in: bytes)
    case .deepTree:
      // Long keys: few to a page.
      try environment.write { transaction throws(LMDBError) in
        for _ in 0..<400 { try transaction.put(octets(1).span.bytes, for: random.bytes(511).span.bytes, in: bytes) }
      }
    case .largeValues:
      for size in [2_000, 2_100, 4_080, 4_081, 30_000, 90_000] {
        let value = [UInt8](repeating: 1, count: size)
        try environment.put(value, for: "\(size)", in: bytes)
        try environment.write { transaction throws(LMDBError) in
          // The shorter value stays in the pages of the longer one.
          try transaction.put(value.span.bytes, for: UInt64(size), in: integers)
          try transaction.put(octets(1).span.bytes, for: UInt64(size), in: integers)
        }
      }
    case .freeList:
      for round in 0..<12 as Range<UInt64> {
        try Self.change(300, keys: 600, [bytes], [integers], in: environment, &random)
        if round % 4 == 3 { try environment.write { t throws(LMDBError) in try t.removeAll(in: integers) } }
      }
      // Enough at once for a list in overflow pages.
      try environment.put([UInt8](repeating: 1, count: 4 << 20), for: "large", in: bytes)
      try environment.put([], for: "large", in: bytes)
    case .databases:
      var more = [bytes]
      for name in ["a", "b", "c", "d", "e"] { more.append(try environment.database(named: name)) }
      for _ in 0..<6 { try Self.change(60, keys: 200, more, [integers], in: environment, &random) }
    case .shrunk:
      try Self.change(3_000, keys: 5_000, [bytes], [integers], in: environment, &random)
      for database in [bytes, integers] { try Self.thinOut(database, in: environment, leaving: 20, &random) }
    case .random:
      for _ in 0..<60 { try Self.change(80, keys: 500, [bytes], [integers], in: environment, &random) }
    }
  }

  /// Opens a file only if its structure is sound, reads it all, then deletes, inserts and empties.
  static func exercise(_ path: String, _ random: inout SeededGenerator) throws(LMDBError) {
    do {
      let environment = try Environment.open(at: path, options: .verifying)
      let bytes = try environment.database(named: "bytes")
      let integers = try environment.database(named: "integers", keys: .integers)
      for database in [bytes, integers] {
        let count = try environment.entries(of: database).count
        let claimed = try environment.read { transaction throws(LMDBError) in try transaction.count(in: database) }
        if count != claimed { throw LMDBError(.invalid, message: "\(count) entries of \(claimed) in \(database.name)") }
        try thinOut(database, in: environment, leaving: 2, &random)
      }
      for _ in 0..<3 { try change(150, keys: 400, [bytes], [integers], in: environment, &random) }
      for database in [bytes, integers] {
        try environment.write { transaction throws(LMDBError) in try transaction.removeAll(in: database) }
        try change(100, keys: 400, [bytes], [integers], in: environment, &random)
      }
    }
    // What LMDB made of a sound file is sound.
    do throws(LMDBError) {
      _ = try Environment.open(at: path, options: .verifying)
    } catch {
      throw LMDBError(.invalid, message: "unsound after its use: \(error)")
    }
  }

  /// One transaction of puts and some deletes.
  private static func change(
    _ count: Int, keys: Int, _ byteKeyed: [Database], _ integerKeyed: [Database], in environment: Environment,
    _ random: inout SeededGenerator
  ) throws(LMDBError) {
    try environment.write { transaction throws(LMDBError) in
      for _ in 0..<count {
        let number = Int.random(in: 0..<keys, using: &random)
        let isLarge = random.next() % 30 == 0
        let value = [UInt8](repeating: 7, count: Int.random(in: 0..<(isLarge ? 12_000 : 200), using: &random))
        let deletes = random.next() % 3 == 0
        let key = [UInt8](repeating: UInt8(number & 0xFF), count: 1 + number % 60)
        if random.next() % 2 == 0, let database = byteKeyed.randomElement(using: &random) {
          if deletes {
            try transaction.delete(key.span.bytes, in: database)
          } else {
            try transaction.put(value.span.bytes, for: key.span.bytes, in: database)
          }
        } else if let database = integerKeyed.randomElement(using: &random) {
          if deletes {
            try transaction.delete(UInt64(number), in: database)
          } else {
            try transaction.put(value.span.bytes, for: UInt64(number), in: database)
          }
        }
      }
    }
  }

  /// Deletes all but about one in so many.
  private static func thinOut(
    _ database: Database, in environment: Environment, leaving share: UInt64, _ random: inout SeededGenerator
  ) throws(LMDBError) {
    try environment.write { transaction throws(LMDBError) in
      var cursor = try transaction.writeCursor(in: database)
      while try cursor.next() != nil {
        if random.next() % share != 0 { try cursor.delete() }
      }
    }
  }
}

extension Environment.Options {
  static var verifying: Self {
    var options = Self.testing
    options.verifiesStructure = true
    return options
  }
}
