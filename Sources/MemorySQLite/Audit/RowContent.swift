import ByteCoding
import EpisodicMemory
import GRDB
import SQLiteStorage
import StoreRows

/// What a row says, as bytes that a record has a digest of: the same from a value that is inserted and from the row that it became.
///
/// Not in it is what the engine derives: row numbers, words added to texts, the count of vectors, and the least trust. Nor is a level of
/// trust that was given to a step, which has a digest together with others: decisions on trust are records by themselves.
///
/// Of an encrypted domain it has digests in place of texts, keyed with the domain's key: the digest of a record has a key that
/// is in the store, and by it texts could be tried. They are the same whichever version of the key sealed the row.
struct RowContent {
  enum Kind: UInt8 { case episode = 1, steps, pattern }

  private var writer = ByteWriter()
  var bytes: [UInt8] { writer.bytes }

  init(_ kind: Kind) { writer.write(kind.rawValue) }

  // MARK: From values

  mutating func write(_ episode: Episode) {
    let cipher = KeySession.knownCipher(for: episode.domain)
    write(text: episode.id.rawValue)
    write(text: episode.taskType.rawValue)
    write(text: episode.domain)
    write(text: episode.session?.canonicallyComposed)
    write(text: Self.hidden(episode.context, cipher))
    write(text: episode.status.rawValue)
    write(real: episode.successRate)
    writer.write(episode.createdAt.milliseconds)
    write(integer: episode.completedAt?.milliseconds)
    write(text: Self.hidden(episode.metadata.canonicalText, cipher))
    write(source: episode.provenance)
    write(integer: (episode.provenance.trust?.level).map(Int64.init))
    write(text: EpisodeRow.column(parents: episode.parents))
  }

  /// A text as it is in the content.
  private static func hidden(_ text: String, _ cipher: DomainCipher?) -> String {
    cipher.map { $0.digest("audit", Array(text.utf8)).hexadecimal } ?? text
  }

  /// - Parameter domain: Of its episode.
  mutating func write(_ step: Step, in domain: String) {
    let cipher = KeySession.knownCipher(for: domain)
    writer.write(Int64(step.number))
    write(text: step.id.rawValue)
    write(text: Self.hidden(step.action, cipher))
    write(text: step.result.map { Self.hidden($0, cipher) })
    write(text: step.tool.map { Self.hidden($0, cipher) })
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
        actor, trust, derived_from, sealed FROM episodes
    """
  static let episodeDomain: Int32 = 2
  static let selectSteps = """
    SELECT step_number, id, action, result, tool, duration_ms, success, timestamp, source, source_id, actor, sealed
    FROM steps WHERE episode_id = ? ORDER BY step_number
    """
  static let selectPattern = """
    SELECT id, domain, pattern_type, pattern_data, data_hash, success_rate, usage_count, last_used, created_at, metadata,
        trust, sealed FROM patterns
    """
  static let patternDomain: Int32 = 1

  /// - Parameter row: Of `selectEpisode`.
  ///
  /// - Throws: If it is sealed, and cannot be opened.
  mutating func write(episode row: borrowing RawStatement, _ db: Database) throws {
    var hidden: (context: String, metadata: String)?
    if !row.isNull(15) {
      let domain = row.text(Self.episodeDomain)
      let texts = try EpisodeTexts.open(
        Array(row.bytes(15)), of: Episode.ID(composed: row.text(0)), in: domain, db)
      let cipher = try KeySession.cipher(for: domain, db)
      hidden = (Self.hidden(texts.context, cipher), Self.hidden(texts.metadata, cipher))
    }
    for column in 0..<3 as Range<Int32> { write(row.bytes(column)) }
    writeOptional(row, 3)
    if let hidden { write(text: hidden.context) } else { write(row.bytes(4)) }
    write(row.bytes(5))
    write(real: row.isNull(6) ? nil : row.double(6))
    writer.write(row.integer(7))
    writeOptional(integer: row, 8)
    if let hidden { write(text: hidden.metadata) } else { write(row.bytes(9)) }
    for column in 10..<13 as Range<Int32> { writeOptional(row, column) }
    writeOptional(integer: row, 13)
    writeOptional(row, 14)
  }

  /// - Parameter row: Of `selectSteps`.
  /// - Throws: If it is sealed, and cannot be opened.
  mutating func write(step row: borrowing RawStatement, of episode: String, in domain: String, _ db: Database) throws {
    writer.write(row.integer(0))
    write(row.bytes(1))
    if row.isNull(11) {
      write(row.bytes(2))
      writeOptional(row, 3)
      writeOptional(row, 4)
    } else {
      let place = StepTexts.place(row.text(1), of: episode, number: row.integer(0))
      let texts = try StepTexts.open(Array(row.bytes(11)), at: place, in: domain, db)
      let cipher = try KeySession.cipher(for: domain, db)
      write(text: Self.hidden(texts.action, cipher))
      write(text: texts.result.map { Self.hidden($0, cipher) })
      write(text: texts.tool.map { Self.hidden($0, cipher) })
    }
    for column in 5..<7 as Range<Int32> { writeOptional(integer: row, column) }
    writer.write(row.integer(7))
    for column in 8..<11 as Range<Int32> { writeOptional(row, column) }
  }

  /// - Parameter row: Of `selectPattern`.
  /// - Throws: If it is sealed, and cannot be opened.
  mutating func write(pattern row: borrowing RawStatement, _ db: Database) throws {
    var metadata: String?
    for column in 0..<3 as Range<Int32> { write(row.bytes(column)) }
    if row.isNull(11) {
      for column in 3..<5 as Range<Int32> { write(row.bytes(column)) }
    } else {
      let domain = row.text(Self.patternDomain)
      let texts = try PatternTexts.open(
        Array(row.bytes(11)), at: PatternTexts.place(row.text(0), row.text(2)), in: domain, db)
      let cipher = try KeySession.cipher(for: domain, db)
      write(text: Self.hidden(texts.data, cipher))
      write(text: Self.hidden(texts.hash, cipher))
      metadata = Self.hidden(texts.metadata, cipher)
    }
    write(real: row.isNull(5) ? nil : row.double(5))
    writer.write(row.integer(6))
    writeOptional(integer: row, 7)
    writer.write(row.integer(8))
    if let metadata { write(text: metadata) } else { write(row.bytes(9)) }
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
