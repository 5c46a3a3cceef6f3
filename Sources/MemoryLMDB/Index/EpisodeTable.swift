import ByteCoding
import LMDB
import VectorIndex

/// The database `episodes`: the attributes of episodes, by row.
///
/// A key is row / 256. A value has 256 records of 40 bytes (domain, session, task type UInt32, status UInt8, three bytes of
/// padding, creation Int64, hash of the context UInt64, success rate as the bits of a double, NaN for none) and a seal. A status
/// of 255 marks a row without an episode.
struct EpisodeTable: Sendable {
  struct Record: Hashable {
    var attributes: RowAttributes
    /// Differs if the context or the words added to it changed.
    var contextHash: UInt64
    var successRate: Double?
  }

  private static let rowsPerValue = 256
  private static let recordBytes = 40
  private static let valueBytes = rowsPerValue * recordBytes
  private static let absent: UInt8 = 255

  let database: Database
  let generation: UInt64
  /// A query reads hundreds of records, and a value has 10 KiB.
  let verified: VerifiedValues

  /// - Parameter rows: In any order.
  /// - Returns: Those that exist.
  func records(
    of rows: some Sequence<Int64>, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> [Int64: Record] {
    var found: [Int64: Record] = [:]
    var reader = Reader(self)
    for row in rows { found[row] = try reader.record(of: row, in: transaction) }
    return found
  }

  /// Sets records; `nil` removes one.
  func put(_ records: [Int64: Record?], in transaction: inout WriteTransaction) throws(LMDBError) {
    for (key, records) in Dictionary(grouping: records, by: { Self.key($0.key) }).sorted(by: { $0.key < $1.key }) {
      var bytes = try content(key, in: transaction)
      for (row, record) in records { Self.write(record, at: Self.offset(row), to: &bytes) }
      try transaction.put(Seal(key: key, generation: generation).sealed(bytes).span.bytes, for: key, in: database)
    }
  }

  /// Calls `body` with every record, in the order of rows.
  func forEach(
    in transaction: borrowing some Transaction & ~Copyable, _ body: (Int64, Record) -> Void
  ) throws(LMDBError) {
    var cursor = try transaction.cursor(in: database)
    while let entry = try cursor.next() {
      guard let key = entry.integerKey, key <= UInt64(Int64.max) >> 8 else { throw Self.damaged }
      try entry.value.withUnsafeBytes { bytes throws(LMDBError) in
        try check(bytes, key)
        for slot in 0..<Self.rowsPerValue {
          guard let record = Self.read(bytes, slot * Self.recordBytes) else { continue }
          body(Int64(key) << 8 | Int64(slot), record)
        }
      }
    }
  }

  /// Reads single records. A record in the same value as the one before costs a tenth of a lookup.
  struct Reader: ~Copyable {
    private let table: EpisodeTable
    private var key: UInt64?
    private var bytes: UnsafeRawBufferPointer?

    init(_ table: EpisodeTable) { self.table = table }

    /// - Parameter transaction: The same in every call: the reader keeps a pointer into its map.
    mutating func record(
      of row: Int64, in transaction: borrowing some Transaction & ~Copyable
    ) throws(LMDBError) -> Record? {
      let key = EpisodeTable.key(row)
      if key != self.key {
        bytes = nil
        self.key = key
        if let value = try transaction.get(key, in: table.database) {
          bytes = try value.withUnsafeBytes { bytes throws(LMDBError) in
            try table.check(bytes, key)
            return bytes
          }
        }
      }
      guard let bytes else { return nil }
      return EpisodeTable.read(bytes, EpisodeTable.offset(row))
    }
  }

  // MARK: Layout

  private static func key(_ row: Int64) -> UInt64 { UInt64(bitPattern: row) >> 8 }
  private static func offset(_ row: Int64) -> Int { Int(row & 255) * recordBytes }

  private static func read(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> Record? {
    func integer<Value: FixedWidthInteger>(_ at: Int) -> Value { bytes.integer(at: offset + at) }
    let status: UInt8 = integer(12)
    guard status != absent else { return nil }
    let attributes = RowAttributes(
      partition: integer(0), series: integer(4), kind: integer(8), state: status,
      time: integer(16))
    let rate = Double(bitPattern: integer(32))
    return Record(attributes: attributes, contextHash: integer(24), successRate: rate.isNaN ? nil : rate)
  }

  private static func write(_ record: Record?, at offset: Int, to bytes: inout [UInt8]) {
    bytes.withUnsafeMutableBytes { bytes in
      func put(_ value: some FixedWidthInteger, _ at: Int) { bytes.store(value, at: offset + at) }
      guard let record else { return put(absent, 12) }
      put(record.attributes.partition, 0)
      put(record.attributes.series, 4)
      put(record.attributes.kind, 8)
      put(record.attributes.state, 12)
      put(record.attributes.time, 16)
      put(record.contextHash, 24)
      put((record.successRate ?? .nan).bitPattern, 32)
    }
  }

  private func content(_ key: UInt64, in transaction: borrowing WriteTransaction) throws(LMDBError) -> [UInt8] {
    guard let value = try transaction.get(key, in: database) else {
      var empty = [UInt8](repeating: 0, count: Self.valueBytes)
      for slot in 0..<Self.rowsPerValue { empty[slot * Self.recordBytes + 12] = Self.absent }
      return empty
    }
    return try value.withUnsafeBytes { bytes throws(LMDBError) in
      try check(bytes, key)
      return Array(bytes.dropLast(Seal.byteCount))
    }
  }

  private func check(_ bytes: UnsafeRawBufferPointer, _ key: UInt64) throws(LMDBError) {
    do throws(MalformedBytes) {
      guard bytes.count == Self.valueBytes + Seal.byteCount else { throw MalformedBytes() }
      _ = try Seal(key: key, generation: generation).open(bytes.bytes, verified: verified)
    } catch {
      throw Self.damaged
    }
  }

  private static var damaged: LMDBError { LMDBError(.damaged, message: "a record of the index's episodes is damaged") }
}
