import ByteCoding
import EpisodicMemory
import SQLiteStorage
import StoreRows

/// What a row says, as bytes that a record has a digest of: the same from a value that is inserted and from the row that it became.
///
/// Not in it is what the engine derives: row numbers, words added to texts, the count of vectors, and the least trust. Nor is a level of
/// trust that was given to a step, which has a digest together with others: decisions on trust are records by themselves.
struct RowContent {
  enum Kind: UInt8 { case episode = 1, steps, pattern }

  private var writer = ByteWriter()
  var bytes: [UInt8] { writer.bytes }

  init(_ kind: Kind) { writer.write(kind.rawValue) }

  // MARK: From values

  mutating func write(_ episode: Episode) {
    write(text: episode.id.rawValue)
    write(text: episode.taskType.rawValue)
    write(text: episode.domain)
    write(text: episode.session?.canonicallyComposed)
    write(text: episode.context)
    write(text: episode.status.rawValue)
    write(real: episode.successRate)
    writer.write(episode.createdAt.milliseconds)
    write(integer: episode.completedAt?.milliseconds)
    write(text: episode.metadata.canonicalText)
    write(source: episode.provenance)
    write(integer: (episode.provenance.trust?.level).map(Int64.init))
    write(text: EpisodeRow.column(parents: episode.parents))
  }

  mutating func write(_ step: Step) {
    writer.write(Int64(step.number))
    write(text: step.id.rawValue)
    write(text: step.action)
    write(text: step.result)
    write(text: step.tool)
    write(integer: step.duration?.milliseconds)
    write(integer: step.success.map { $0 ? 1 : 0 })
    writer.write(step.timestamp.milliseconds)
    write(source: step.provenance)
  }

  private mutating func write(source provenance: Provenance) {
    write(text: provenance.source?.rawValue)
    write(text: provenance.sourceID)
    write(text: provenance.actor)
  }

  mutating func write(text: String) { writer.write(text) }
  private mutating func write(text: String?) { writer.write(text) { $0.write($1) } }
  private mutating func write(integer: Int64?) { writer.write(integer) { $0.write($1) } }
  /// SQLite keeps no negative zero.
  private mutating func write(real: Double?) { writer.write(real) { $0.write($1 == 0 ? 0 : $1) } }

  // MARK: From rows

  static let selectEpisode = """
    SELECT id, task_type, domain, session, context, status, success_rate, created_at, completed_at, metadata, source, source_id,
        actor, trust, derived_from FROM episodes
    """
  static let episodeDomain: Int32 = 2
  static let selectSteps = """
    SELECT step_number, id, action, result, tool, duration_ms, success, timestamp, source, source_id, actor FROM steps
    WHERE episode_id = ? ORDER BY step_number
    """
  static let selectPattern = """
    SELECT id, domain, pattern_type, pattern_data, data_hash, success_rate, usage_count, last_used, created_at, metadata,
        trust FROM patterns
    """
  static let patternDomain: Int32 = 1

  /// - Parameter row: Of `selectEpisode`.
  mutating func write(episode row: borrowing RawStatement) {
    for column in 0..<3 as Range<Int32> { write(row.bytes(column)) }
    writeOptional(row, 3)
    write(row.bytes(4))
    write(row.bytes(5))
    write(real: row.isNull(6) ? nil : row.double(6))
    writer.write(row.integer(7))
    writeOptional(integer: row, 8)
    write(row.bytes(9))
    for column in 10..<13 as Range<Int32> { writeOptional(row, column) }
    writeOptional(integer: row, 13)
    writeOptional(row, 14)
  }

  /// - Parameter row: Of `selectSteps`.
  mutating func write(step row: borrowing RawStatement) {
    writer.write(row.integer(0))
    write(row.bytes(1))
    write(row.bytes(2))
    writeOptional(row, 3)
    writeOptional(row, 4)
    for column in 5..<7 as Range<Int32> { writeOptional(integer: row, column) }
    writer.write(row.integer(7))
    for column in 8..<11 as Range<Int32> { writeOptional(row, column) }
  }

  /// - Parameter row: Of `selectPattern`.
  mutating func write(pattern row: borrowing RawStatement) {
    for column in 0..<5 as Range<Int32> { write(row.bytes(column)) }
    write(real: row.isNull(5) ? nil : row.double(5))
    writer.write(row.integer(6))
    writeOptional(integer: row, 7)
    writer.write(row.integer(8))
    write(row.bytes(9))
    writeOptional(integer: row, 10)
  }

  mutating func write(_ bytes: UnsafeRawBufferPointer) {
    writer.write(UInt32(clamping: bytes.count))
    writer.bytes.append(contentsOf: bytes)
  }

  private mutating func writeOptional(integer row: borrowing RawStatement, _ column: Int32) {
    write(integer: row.isNull(column) ? nil : row.integer(column))
  }

  private mutating func writeOptional(_ row: borrowing RawStatement, _ column: Int32) {
    writer.write(!row.isNull(column))
    if !row.isNull(column) { write(row.bytes(column)) }
  }
}
