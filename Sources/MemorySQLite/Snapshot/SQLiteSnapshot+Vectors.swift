import EpisodicMemory
import GRDB
import SQLiteStorage
import Vectors
import StoreRows

extension SQLiteSnapshot {
  /// The spaces of all vectors. Seeks in the index from space to space: the cost grows with the spaces, not the vectors.
  func spaces() throws(MemoryError) -> [EmbeddingSpace] {
    try reading {
      var spaces: [EmbeddingSpace] = []
      // Two statements: one that compares both columns would scan all vectors of a model.
      var spacesOfModel = try RawStatement(Self.nextDimensions, db)
      var models = try RawStatement(Self.nextModel, db)
      // By bytes: the next name must be found also after one that is not UTF-8 or not in NFC.
      var model: [UInt8] = []
      var dimensions: Int64?
      while true {
        if let last = dimensions {
          try model.withUnsafeBytes { name in try spacesOfModel.bind(text: name) }
          try spacesOfModel.bind(last)
          dimensions = try spacesOfModel.step() ? spacesOfModel.integer(0) : nil
          spacesOfModel.reset()
        }
        if dimensions == nil {
          try model.withUnsafeBytes { name in try models.bind(text: name) }
          guard try models.step() else { return spaces }
          model = Array(models.bytes(0))
          dimensions = models.integer(1)
          models.reset()
        }
        if let space = model.withUnsafeBytes({ name in Self.space(name, dimensions) }) { spaces.append(space) }
      }
    }
  }

  /// - Returns: `nil` for a model name of another program that no query can name: its vectors are left out, and `check`
  ///   reports them.
  private static func space(_ model: UnsafeRawBufferPointer, _ dimensions: Int64?) -> EmbeddingSpace? {
    guard model.isCanonicalName, let dimensions = dimensions.flatMap(Int.init(exactly:)) else { return nil }
    return EmbeddingSpace(model: String(decoding: model, as: UTF8.self), dimensions: dimensions)
  }

  /// The next number of dimensions of a model; arguments: model, dimensions.
  static let nextDimensions = """
    SELECT dimensions FROM embeddings WHERE model_name = ? AND dimensions > ? ORDER BY dimensions LIMIT 1
    """
  /// The next model and its lowest number of dimensions; argument: model.
  static let nextModel = """
    SELECT model_name, dimensions FROM embeddings WHERE model_name > ? ORDER BY model_name, dimensions LIMIT 1
    """

  /// Those of some spaces in which a vector of the corpus of a request is. Visits the vectors of each up to the first.
  func spaces(among spaces: [EmbeddingSpace], _ request: RecallRequest) throws(MemoryError) -> [EmbeddingSpace] {
    try reading {
      let corpus = Conditions(corpusOf: request)
      let plain = request.scope.onlyDomain == nil ? " AND m.sealed IS NULL" : ""
      return try spaces.filter { space in
        var rows = try RawStatement(
          """
          SELECT 1 FROM embeddings m INDEXED BY embeddings_by_space CROSS JOIN episodes e ON e.id = m.episode_id
          WHERE m.model_name = ? AND m.dimensions = ?\(plain)\(corpus.andClause) LIMIT 1
          """, [space.model, space.dimensions] + corpus.arguments, db)
        return try rows.step()
      }
    }
  }

  func neighbors(
    _ query: VectorQuery, in space: EmbeddingSpace, _ scope: Query.Scope, _ filter: Episode.Filter,
    _ body: (_ vector: Int64, _ episode: Int64, _ similarity: Double) -> Void
  ) throws(MemoryError) {
    try reading {
      let conditions = try conditions(scope, filter)
      // Everywhere, vectors of encrypted domains are left out, as the index leaves them out.
      let plain = scope.onlyDomain == nil ? " AND m.sealed IS NULL" : ""
      var rows = try RawStatement(
        """
        SELECT m.seq, e.seq, m.embedding, m.sealed, m.id, m.episode_id FROM embeddings m
        JOIN episodes e ON e.id = m.episode_id WHERE m.model_name = ? AND m.dimensions = ?\(plain)\(conditions.andClause)
        """, [space.model, space.dimensions] + conditions.arguments, db)
      while try rows.step() {
        // A row without a valid vector has no similarity; `check` reports it.
        let vector = rows.integer(0)
        guard let similarity = try similarity(query, rows, 2, of: vector, in: scope.onlyDomain) else { continue }
        body(vector, rows.integer(1), similarity)
      }
    }
  }

  /// Cost: 0.5 us, and 2 to 3 us more if the page with the vector is not in SQLite's cache.
  func similarity(
    of vector: Int64, ofEpisode episode: Int64, to query: VectorQuery
  ) throws(MemoryError) -> Double? {
    try reading {
      if lazy.components == nil { lazy.components = try RawStatement(Self.components, db) }
      try lazy.components?.bind(vector)
      guard try lazy.components?.step() == true, let bytes = lazy.components?.bytes(0) else { return nil }
      defer { lazy.components?.reset() }
      if lazy.ids[episode] == nil { lazy.ids[episode] = lazy.components?.text(1) }
      return try Self.similarity(query, bytes, of: vector)
    }
  }

  func similarities(
    ofEpisodes episodes: [Int64], to query: SpaceQuery
  ) throws(MemoryError) -> [Int64: Double] {
    try reading {
      var found: [Int64: Double] = [:]
      var rows = try RawStatement(Self.componentsOfEpisode, db)
      for episode in episodes {
        try rows.bind(episode)
        try rows.bind(query.space.model)
        try rows.bind(Int64(query.space.dimensions))
        while try rows.step() {
          let similarity = try similarity(query.vector, rows, 1, of: rows.integer(0), in: nil)
          if let similarity { found[episode] = max(found[episode] ?? -.infinity, similarity) }
        }
      }
      return found
    }
  }

  static let components = "SELECT embedding, episode_id FROM embeddings WHERE seq = ?"
  static let componentsOfEpisode = """
    SELECT m.seq, m.embedding, m.sealed, m.id, m.episode_id
    FROM episodes e CROSS JOIN embeddings m INDEXED BY embeddings_by_episode ON m.episode_id = e.id
    WHERE e.seq = ? AND m.model_name = ? AND m.dimensions = ?
    """

  /// Of the vector in a column, after which come `sealed`, the id, and that of the episode.
  private func similarity(
    _ query: VectorQuery, _ rows: borrowing RawStatement, _ column: Int32, of row: Int64, in domain: String?
  ) throws -> Double? {
    guard !rows.isNull(column + 1) else { return try Self.similarity(query, rows.bytes(column), of: row) }
    let bytes = Array(rows.bytes(column))
    let place = EmbeddingBytes.place(rows.text(column + 2), of: rows.text(column + 3))
    let opened = try EmbeddingBytes.open(
      Array(rows.bytes(column + 1)), vector: bytes, at: place, in: domain, db)
    return try opened.withUnsafeBytes { opened in
      try Self.similarity(query, UnsafeRawBufferPointer(rebasing: opened.prefix(bytes.count)), of: row)
    }
  }

  /// - Returns: `nil` if a component is not finite or all are 0: another program may have written the vector.
  /// - Throws: `.corrupted` if the bytes are a vector of another length, which the schema rules out.
  private static func similarity(
    _ query: VectorQuery, _ bytes: UnsafeRawBufferPointer, of row: Int64
  ) throws -> Double? {
    guard bytes.count == 4 * query.vector.dimensions else {
      throw MemoryError(
        .corrupted,
        "embedding \(row) is not a vector of \(query.vector.dimensions) numbers; call check(), then restore a backup")
    }
    return query.similarity(to: bytes)
  }
}
