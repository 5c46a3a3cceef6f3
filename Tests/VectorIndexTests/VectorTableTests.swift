import ByteCoding
import LMDB
import TestSupport
import Testing
import Vectors

@testable import VectorIndex

/// A table in a directory of its own, and a dictionary of the rows that it should hold.
private final class TableOracle {
  struct Row {
    var attributes: RowAttributes
    let vector: Vector
  }

  static let generation: UInt64 = 7
  static let dimensions = 96

  let directory: TemporaryDirectory
  let environment: Environment
  let table: VectorTable
  var rows: [Int64: Row] = [:]
  var random: SeededGenerator

  init(seed: UInt64) throws {
    directory = try TemporaryDirectory()
    var options = Environment.Options(mapSize: 1 << 28)
    options.durability = .noSync
    environment = try Environment.open(at: directory.path, options: options)
    table = VectorTable(
      database: try environment.database(named: "vectors", keys: .integers),
      groups: try environment.database(named: "groups"), generation: Self.generation,
      verified: VerifiedValues(), isTrusted: false)
    random = SeededGenerator(seed: seed)
  }

  deinit { environment.close() }

  static func group(of id: Int64) -> Int64 { id / 3 }

  func vector() throws -> Vector {
    try Vector((0..<Self.dimensions).map { _ in Float.random(in: -1...1, using: &random) })
  }

  /// Applies removals, changes of state and additions, of distinct random rows, in one transaction.
  func change(rows count: Int) throws {
    var changes = VectorChanges()
    for id in Set((0..<count).map { _ in Int64.random(in: 1...4000, using: &random) }).sorted() {
      switch Int.random(in: 0..<10, using: &random) {
      case 0:
        rows[id] = nil
        changes.removed.insert(id)
      case 1:
        let state = UInt8.random(in: 0..<4, using: &random)
        rows[id]?.attributes.state = state
        changes.states[id] = state
      default:
        if rows[id] != nil { changes.removed.insert(id) }
        let attributes = RowAttributes(
          partition: UInt32.random(in: 1...3, using: &random), series: UInt32.random(in: 0...2, using: &random),
          kind: UInt32.random(in: 254...258, using: &random), state: UInt8.random(in: 0..<4, using: &random),
          time: Int64.random(in: 0..<1000, using: &random))
        let row = Row(attributes: attributes, vector: try vector())
        rows[id] = row
        changes.add(id, row)
      }
    }
    try environment.write { transaction throws(LMDBError) in try table.apply(changes, in: &transaction) }
  }

  func matches(_ query: VectorQuery, _ filter: AttributeFilter, wanted: Int) throws -> [VectorMatch] {
    try environment.read { transaction throws(LMDBError) in
      try table.nearest(to: query, space: "a", filter, wanted: wanted, in: transaction) { id, _ throws(LMDBError) in
        rows[id].flatMap { query.similarity(to: $0.vector) }
      }
    }
  }

  /// The nearest rows that pass, by brute force, up to the last of `wanted` groups.
  func expected(_ query: VectorQuery, _ filter: AttributeFilter, wanted: Int) -> [Int64] {
    let scored = rows.filter { filter.admits($0.value.attributes) }
      .compactMap { id, row in query.similarity(to: row.vector).map { (id: id, score: $0) } }
      .sorted { ($1.score, $0.id) < ($0.score, $1.id) }
    var groups: Set<Int64> = []
    return scored.prefix { row in
      defer { groups.insert(Self.group(of: row.id)) }
      return groups.count < wanted
    }
    .map(\.id)
  }
}

extension VectorChanges {
  fileprivate mutating func add(_ id: Int64, _ row: TableOracle.Row) {
    row.vector.components.withUnsafeBytes {
      add(
        id: id, group: TableOracle.group(of: id), row.attributes, space: "a", dimensions: TableOracle.dimensions,
        components: $0, generation: TableOracle.generation)
    }
  }
}

@Suite struct `A vector table` {
  static let filters = [
    AttributeFilter(partition: nil, series: nil, kind: nil, states: 15, times: .min ... .max),
    AttributeFilter(partition: 2, series: nil, kind: nil, states: 0b0110, times: .min ... .max),
    AttributeFilter(partition: nil, series: 1, kind: 257, states: 15, times: .min ... .max),
    AttributeFilter(partition: 3, series: nil, kind: 254, states: 1, times: 100...600),
    AttributeFilter(partition: 9, series: nil, kind: nil, states: 15, times: .min ... .max),
  ]

  @Test(arguments: 1...3 as ClosedRange<UInt64>)
  func `finds what brute force finds after random changes and compactions`(seed: UInt64) throws {
    let oracle = try TableOracle(seed: seed)
    for round in 0..<12 {
      try oracle.change(rows: [1, 30, 400][round % 3])
      if round % 4 == 3 {
        while try oracle.environment.write({ transaction throws(LMDBError) in
          try oracle.table.compact(in: &transaction)
        }) {}
      }
      for metric in Metric.allCases {
        let query = VectorQuery(try oracle.vector(), metric: metric)
        for filter in Self.filters {
          // So many that every candidate is compared exactly.
          let found = try oracle.matches(query, filter, wanted: 40)
          let expected = oracle.expected(query, filter, wanted: 40)
          #expect(Array(found.map(\.id).prefix(expected.count)) == expected)
          #expect(found.allSatisfy { $0.group == TableOracle.group(of: $0.id) })
        }
      }
      let statistics = try oracle.environment.read { transaction throws(LMDBError) in
        try oracle.table.statistics(in: transaction)
      }
      #expect(statistics.rows == oracle.rows.count)
    }
  }

  @Test func `the fingerprints of its rows are those of the same rows added alone`() throws {
    let oracle = try TableOracle(seed: 9)
    for _ in 0..<4 { try oracle.change(rows: 200) }
    let fingerprints = try oracle.environment.read { transaction throws(LMDBError) in
      try oracle.table.fingerprints(in: transaction)
    }
    var changes = VectorChanges()
    for (id, row) in oracle.rows { changes.add(id, row) }
    #expect(fingerprints == changes.fingerprints)
  }

  @Test func `values of another generation of the files are damaged`() throws {
    let oracle = try TableOracle(seed: 5)
    try oracle.change(rows: 100)
    let other = VectorTable(
      database: oracle.table.database, groups: oracle.table.groups.database,
      generation: TableOracle.generation + 1, verified: VerifiedValues(),
      isTrusted: false)
    let error = #expect(throws: LMDBError.self) {
      try oracle.environment.read { transaction throws(LMDBError) in _ = try other.fingerprints(in: transaction) }
    }
    #expect(error?.code == .damaged)
  }
}
