import LMDB
import TestSupport
import Testing

@Suite struct `A cursor` {
  @Test func `past an end only comes back`() throws {
    let directory = try TemporaryDirectory()
    let environment = try Environment.open(at: directory.path, options: .testing)
    let database = try filled(environment, with: 1...3)
    let walk = try environment.read { transaction throws(LMDBError) in
      var walk: [UInt64?] = []
      var cursor = try transaction.cursor(in: database)
      walk.append(try cursor.seek(atOrAfter: 9)?.integerKey)
      walk.append(try cursor.next()?.integerKey)
      walk.append(try cursor.previous()?.integerKey)
      walk.append(try cursor.first()?.integerKey)
      walk.append(try cursor.previous()?.integerKey)
      walk.append(try cursor.previous()?.integerKey)
      walk.append(try cursor.next()?.integerKey)
      walk.append(try cursor.last()?.integerKey)
      walk.append(try cursor.next()?.integerKey)
      walk.append(try cursor.next()?.integerKey)
      walk.append(try cursor.previous()?.integerKey)
      return walk
    }
    #expect(walk == [nil, nil, 3, 1, nil, nil, 1, 3, nil, nil, 3])
  }

  @Test func `begins with the first entry forwards and the last backwards`() throws {
    let directory = try TemporaryDirectory()
    let environment = try Environment.open(at: directory.path, options: .testing)
    let database = try filled(environment, with: 1...3)
    let ends = try environment.read { transaction throws(LMDBError) in
      var forwards = try transaction.cursor(in: database)
      var backwards = try transaction.cursor(in: database)
      return [try forwards.next()?.integerKey, try backwards.previous()?.integerKey]
    }
    #expect(ends == [1, 3])
  }

  @Test func `deletes the entry it reached, once, and nothing if it reached none`() throws {
    let directory = try TemporaryDirectory()
    let environment = try Environment.open(at: directory.path, options: .testing)
    let database = try filled(environment, with: 1...5)
    try environment.write { transaction throws(LMDBError) in
      var codes: [LMDBError.Code?] = []
      var cursor = try transaction.writeCursor(in: database)
      codes.append(deletionCode(&cursor))
      _ = try cursor.seek(atOrAfter: 2)
      codes.append(deletionCode(&cursor))
      codes.append(deletionCode(&cursor))
      let before = try cursor.previous()?.integerKey
      let behind = try cursor.next()?.integerKey
      _ = try cursor.last()
      _ = try cursor.next()
      codes.append(deletionCode(&cursor))
      #expect(codes == [.invalid, nil, .invalid, .invalid])
      #expect(before == 1 && behind == 3)
    }
    try #expect(environment.entries(of: database).count == 4)
  }

  @Test func `empties a database while walking it`() throws {
    let directory = try TemporaryDirectory()
    let environment = try Environment.open(at: directory.path, options: .testing)
    let database = try filled(environment, with: 0...4_999)
    try environment.write { transaction throws(LMDBError) in
      var cursor = try transaction.writeCursor(in: database)
      while try cursor.next() != nil { try cursor.delete() }
    }
    try #expect(environment.entries(of: database).isEmpty)
  }

  @Test func `keeps to the kind of keys its database has`() throws {
    let directory = try TemporaryDirectory()
    let environment = try Environment.open(at: directory.path, options: .testing)
    let integers = try filled(environment, with: 1...3)
    let bytes = try environment.database(named: "bytes")
    try environment.read { transaction throws(LMDBError) in
      var codes: [LMDBError.Code?] = []
      codes.append(
        code { () throws(LMDBError) in
          var cursor = try transaction.cursor(in: integers)
          _ = try cursor.seek(atOrAfter: octets(1).span.bytes)
        })
      codes.append(
        code { () throws(LMDBError) in
          var cursor = try transaction.cursor(in: bytes)
          _ = try cursor.seek(atOrAfter: 1)
        })
      codes.append(
        code { () throws(LMDBError) in
          var cursor = try transaction.cursor(in: bytes)
          _ = try cursor.seek(atOrAfter: octets().span.bytes)
        })
      #expect(codes == [.invalid, .invalid, .keySize])
    }
  }

  private func filled(
    _ environment: Environment, with keys: ClosedRange<UInt64>
  ) throws(LMDBError) -> Database {
    let database = try environment.database(named: "integers", keys: .integers)
    try environment.write { transaction throws(LMDBError) in
      for key in keys { try transaction.append(octets(1, 2, 3).span.bytes, for: key, in: database) }
    }
    return database
  }

  private func deletionCode(_ cursor: inout WriteCursor) -> LMDBError.Code? {
    do throws(LMDBError) {
      try cursor.delete()
      return nil
    } catch {
      return error.code
    }
  }
}
