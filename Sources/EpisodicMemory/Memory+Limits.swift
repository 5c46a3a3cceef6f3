extension Memory {
  /// The largest input that the engine accepts, and the sizes of files from which it warns.
  ///
  /// An input beyond a limit is refused as `.limitExceeded` before anything is written. Beyond a warning threshold everything
  /// goes on: it is logged once, and a diagnosis names it. A limit is of a process, not of the store: nothing that is stored
  /// becomes unreadable when a limit is lowered.
  public struct Limits: Hashable, Sendable, Codable {
    // MARK: Inputs

    /// Bytes of UTF-8 in one text field, and of metadata as JSON.
    public var fieldBytes: Int
    /// Numbers in one vector.
    public var dimensions: Int
    /// Hits of one query, and elements of one page.
    public var results: Int
    /// Episodes, steps or vectors in one call; other writers wait for all of a call.
    public var batchElements = 100_000
    /// Steps of one episode.
    public var stepsPerEpisode = 1_000_000
    /// Members of the objects in metadata or in the data of a pattern, over all levels.
    public var metadataMembers = 10_000
    /// Levels of objects and arrays in metadata or in the data of a pattern.
    public var metadataDepth = 256
    /// Bytes of the data of a pattern as JSON.
    public var patternBytes = 1 << 20
    /// Bytes of each text of a query.
    public var queryBytes = 1 << 20

    // MARK: Files

    /// Bytes left on the disk below which nothing is written that makes the store grow; `nil` for 64 MiB, or for 5 % of the
    /// disk if that is less. 0 for no such floor. Deleting, archiving, completing, maintenance and checks go on.
    public var minimumFreeBytes: Int?
    /// Bytes of the primary with its log from which there is a warning.
    public var storeWarningBytes = 64 << 30
    /// Bytes of the search index from which there is a warning; its file can grow to 128 GiB.
    public var indexWarningBytes = 96 << 30
    /// Bytes of the log from which there is a warning: a reader that stays keeps it from beginning again.
    public var logWarningBytes = 256 << 20
    /// Backups from which there is a warning.
    public var backupsWarningCount = 1000

    /// The defaults hold for every caller that sets none.
    public init(fieldBytes: Int = 1 << 20, dimensions: Int = 65_536, results: Int = 1000) {
      self.fieldBytes = fieldBytes
      self.dimensions = dimensions
      self.results = results
    }
  }
}

extension Memory.Limits {
  /// A limit with the values that it may have.
  package struct Field: Sendable {
    package let name: String
    package let value: Int
    package let range: ClosedRange<Int>
  }

  /// SQLite keeps no value of more bytes.
  private static let sqliteValue = 1_000_000_000
  /// The highest number of a page of SQLite's, in pages of 4,096 bytes.
  private static let sqliteFile = 4_294_967_294 * 4096

  /// Every limit, in the order of their declarations; one that is not set is left out.
  package var fields: [Field] {
    let free = minimumFreeBytes.map { Field(name: "minimumFreeBytes", value: $0, range: 0...(1 << 60)) }
    return [
      Field(name: "fieldBytes", value: fieldBytes, range: 1...Self.sqliteValue),
      Field(name: "dimensions", value: dimensions, range: 1...(Self.sqliteValue / 4)),
      Field(name: "results", value: results, range: 1...10_000_000),
      Field(name: "batchElements", value: batchElements, range: 1...100_000_000),
      Field(name: "stepsPerEpisode", value: stepsPerEpisode, range: 1...Int(Int32.max)),
      Field(name: "metadataMembers", value: metadataMembers, range: 1...100_000_000),
      Field(name: "metadataDepth", value: metadataDepth, range: 1...256),
      Field(name: "patternBytes", value: patternBytes, range: 1...Self.sqliteValue),
      Field(name: "queryBytes", value: queryBytes, range: 1...Self.sqliteValue),
    ] + [free].compactMap(\.self) + [
      Field(name: "storeWarningBytes", value: storeWarningBytes, range: 1...Self.sqliteFile),
      Field(name: "indexWarningBytes", value: indexWarningBytes, range: 1...(1 << 37)),
      Field(name: "logWarningBytes", value: logWarningBytes, range: 1...Self.sqliteFile),
      Field(name: "backupsWarningCount", value: backupsWarningCount, range: 1...1_000_000),
    ]
  }

  /// No limit at all, for values that are decoded without a store.
  package static var unbounded: Memory.Limits {
    var limits = Memory.Limits(fieldBytes: .max, dimensions: .max, results: .max)
    (limits.batchElements, limits.stepsPerEpisode, limits.metadataMembers) = (.max, .max, .max)
    (limits.patternBytes, limits.queryBytes) = (.max, .max)
    return limits
  }

  /// - Throws: `.invalid` with the name of a limit that is negative, zero, or more than the files can hold.
  package func validate() throws(MemoryError) {
    for field in fields where !field.range.contains(field.value) {
      throw MemoryError(
        .invalid,
        "limits.\(field.name) is \(field.value); it lies in \(field.range.lowerBound)...\(field.range.upperBound)")
    }
  }
}
