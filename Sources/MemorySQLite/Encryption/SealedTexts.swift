import ByteCoding
import EpisodicMemory
import GRDB
import SQLiteStorage
import StoreRows
import Vectors

/// The columns of an episode that hold what a person or a program wrote: as they are, or sealed.
struct EpisodeTexts {
  var context: String
  /// JSON.
  var metadata: String
  var added: String
  var labels: String
  var sealed: [UInt8]?

  init(_ episode: Episode, _ db: Database) throws {
    let metadata = episode.metadata.canonicalText
    let added = AddedWords.of(context: episode.context)
    let labels = AddedWords.labels(
      taskType: episode.taskType.rawValue, session: episode.session, metadata: episode.metadata)
    guard let cipher = try KeySession.cipher(for: episode.domain, db) else {
      (context, self.metadata, self.added, self.labels) = (episode.context, metadata, added, labels)
      return
    }
    var bytes = ByteWriter()
    bytes.write(episode.context)
    bytes.write(metadata)
    sealed = try cipher.seal(bytes.bytes, at: Self.place(episode.id))
    context = try cipher.text(ofWordsIn: episode.context, db)
    self.metadata = "{}"
    self.added = try cipher.text(ofWordsIn: added, db)
    self.labels = try cipher.text(ofWordsIn: labels, db)
  }

  static func place(_ id: Episode.ID) -> SealedPlace { SealedPlace(table: .episodes, id: id.rawValue) }

  /// Context and metadata of a sealed row.
  static func open(
    _ sealed: [UInt8], of id: Episode.ID, in domain: String, _ db: Database
  ) throws -> (context: String, metadata: String) {
    let place = place(id)
    return try SealedBytes.decode(try KeySession.open(sealed, at: place, in: domain, db), place) {
      reader throws(MalformedBytes) in (try reader.text(), try reader.text())
    }
  }
}

/// The same of a step.
struct StepTexts {
  var action: String
  var result: String?
  var tool: String?
  var added: String
  var sealed: [UInt8]?

  init(_ step: Step, of episode: String, _ cipher: DomainCipher?, _ db: Database) throws {
    let added = AddedWords.of(action: step.action, result: step.result, tool: step.tool)
    guard let cipher else {
      (action, result, tool, self.added) = (step.action, step.result, step.tool, added)
      return
    }
    var bytes = ByteWriter()
    bytes.write(step.action)
    bytes.write(step.result) { $0.write($1) }
    bytes.write(step.tool) { $0.write($1) }
    sealed = try cipher.seal(bytes.bytes, at: Self.place(step.id.rawValue, of: episode, number: Int64(step.number)))
    action = try cipher.text(ofWordsIn: step.action, db)
    result = try step.result.map { try cipher.text(ofWordsIn: $0, db) }
    tool = try step.tool.map { try cipher.column(ofTool: $0, db) }
    self.added = try cipher.text(ofWordsIn: added, db)
  }

  static func place(_ id: String, of episode: String, number: Int64) -> SealedPlace {
    SealedPlace(table: .steps, id: id, owner: episode, number: number)
  }

  static func open(
    _ sealed: [UInt8], at place: SealedPlace, in domain: String?, _ db: Database
  ) throws -> (action: String, result: String?, tool: String?) {
    try SealedBytes.decode(try KeySession.open(sealed, at: place, in: domain, db), place) {
      reader throws(MalformedBytes) in
      (
        try reader.text(), try reader.optional { reader throws(MalformedBytes) in try reader.text() },
        try reader.optional { reader throws(MalformedBytes) in try reader.text() }
      )
    }
  }
}

extension StepTexts {
  /// Of a sealed row; from a column on come `sealed`, the id, that of the episode, and the number.
  static func open(
    _ row: borrowing RawStatement, _ column: Int32, _ db: Database
  ) throws -> (action: String, result: String?, tool: String?) {
    let place = place(row.text(column + 1), of: row.text(column + 2), number: row.integer(column + 3))
    return try open(Array(row.bytes(column)), at: place, in: nil, db)
  }

  /// As `open`: the tool, and the beginning of the result.
  static func failure(
    _ row: borrowing RawStatement, _ column: Int32, _ db: Database
  ) throws -> (tool: String?, result: String?) {
    let texts = try open(row, column, db)
    return (texts.tool, texts.result.map { String($0.prefix(512)) })
  }
}

/// The same of a pattern.
struct PatternTexts {
  /// JSON: the data, or the digests of its words as an array, of which the triggers take the words.
  var data: String
  var hash: String
  var metadata: String
  var sealed: [UInt8]?

  init(_ pattern: Pattern, hash: String, _ cipher: DomainCipher?, _ db: Database) throws {
    (data, self.hash, metadata) = (pattern.data.canonicalText, hash, pattern.metadata.canonicalText)
    guard let cipher else { return }
    var bytes = ByteWriter()
    bytes.write(data)
    bytes.write(hash)
    bytes.write(metadata)
    sealed = try cipher.seal(bytes.bytes, at: Self.place(pattern.id.rawValue, pattern.type.rawValue))
    data = JSON.array(try KeySession.words(of: pattern.data.searchedText, cipher, db).map(JSON.string)).canonicalText
    self.hash = cipher.column(ofHash: hash)
    metadata = "{}"
  }

  static func place(_ id: String, _ type: String) -> SealedPlace {
    SealedPlace(table: .patterns, id: id, owner: type)
  }

  static func open(
    _ sealed: [UInt8], at place: SealedPlace, in domain: String, _ db: Database
  ) throws -> (data: String, hash: String, metadata: String) {
    try SealedBytes.decode(try KeySession.open(sealed, at: place, in: domain, db), place) {
      reader throws(MalformedBytes) in (try reader.text(), try reader.text(), try reader.text())
    }
  }
}

/// The same of an embedding: the ciphertext of the vector stands in its column, which has the length of the vector.
struct EmbeddingBytes {
  var content: String
  var vector: [UInt8]
  var sealed: [UInt8]?

  init(_ embedding: Embedding, _ cipher: DomainCipher?) throws {
    (content, vector) = (embedding.content, [UInt8](littleEndianFloat32: embedding.vector))
    guard let cipher else { return }
    let box = try cipher.seal(
      vector + Array(content.utf8), at: Self.place(embedding.id.rawValue, of: embedding.episodeID.rawValue),
      detaching: vector.count)
    (content, vector, sealed) = ("", box.detached, box.sealed)
  }

  static func place(_ id: String, of episode: String) -> SealedPlace {
    SealedPlace(table: .embeddings, id: id, owner: episode)
  }

  /// The bytes of the vector, then the content.
  static func open(
    _ sealed: [UInt8], vector: [UInt8], at place: SealedPlace, in domain: String?, _ db: Database
  ) throws -> [UInt8] {
    try KeySession.open(sealed, detached: vector, at: place, in: domain, db)
  }
}

enum SealedBytes {
  /// What was sealed is what an engine wrote: other bytes are of a newer one.
  static func decode<Value>(
    _ bytes: [UInt8], _ place: SealedPlace, _ read: (inout ByteReader) throws(MalformedBytes) -> Value
  ) throws -> Value {
    do {
      return try ByteReader.decode(bytes.span.bytes, read)
    } catch {
      throw MemoryError(
        .corrupted,
        "the \(place.table.title) \"\(place.id)\" was encrypted by a newer version of this engine; open the store with that",
        cause: error)
    }
  }
}

extension DomainCipher {
  /// What full text finds of a text.
  func text(ofWordsIn text: String, _ db: Database) throws -> String {
    try KeySession.words(of: text, self, db).joined(separator: " ")
  }

  /// What full text and filters find of a tool: its words, and the whole name in signs that are no words.
  func column(ofTool tool: String, _ db: Database) throws -> String {
    let words = try text(ofWordsIn: tool, db)
    return (words.isEmpty ? "" : words + " ") + mark(tool)
  }

  func column(ofHash hash: String) -> String { digest("pattern", Array(hash.utf8)).hexadecimal }
}

extension JSON {
  /// The words that the triggers on patterns find in it: names of members, and values but true, false and null.
  fileprivate var searchedText: String {
    var lines: [String] = []
    func add(_ value: JSON, _ name: String?) {
      var line = name.map { $0 + " " } ?? ""
      switch value {
      case .string(let text): line += text
      case .array(let elements):
        lines.append(line)
        for element in elements { add(element, nil) }
        return
      case .object(let members):
        lines.append(line)
        for member in members { add(member.value, member.name) }
        return
      case .null, .bool: break
      default: line += value.canonicalText
      }
      lines.append(line)
    }
    add(self, nil)
    return lines.joined(separator: "\n")
  }
}

extension Row {
  /// The bytes of a column; `nil` for NULL.
  func bytes(_ index: Int) throws -> [UInt8]? { try withUnsafeData(atIndex: index) { $0.map { [UInt8]($0) } } }
}
