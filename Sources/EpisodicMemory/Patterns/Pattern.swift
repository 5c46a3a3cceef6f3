package import ByteCoding

/// A reusable regularity: what worked repeatedly.
public struct Pattern: Identifiable, Hashable, Sendable {
  public typealias ID = Identifier<Pattern>

  public let id: ID
  /// The domain that it belongs to, which alone sees it (I8); `nil`: shared by all.
  public let domain: String?
  /// The kind of pattern.
  public let type: PatternType
  /// What is to be reused: any JSON value.
  public let data: JSON
  /// SHA-256 of the canonical JSON; type, hash and domain identify a pattern.
  public let dataHash: String
  /// 0...1, `nil` if unknown.
  public var successRate: Double?
  /// How often it was marked as used.
  public var usageCount: Int64
  /// When it was last marked as used; `nil` if never.
  public var lastUsed: Timestamp?
  /// When it was first recorded.
  public var createdAt: Timestamp
  /// A JSON object.
  public var metadata: JSON
  /// How far it is trusted: no more than the episodes that it is linked to.
  public package(set) var trust: Trust

  /// A value as a store returns it; for doubles in tests.
  public init(
    id: ID, domain: String? = nil, type: PatternType, data: JSON, dataHash: String, successRate: Double?,
    usageCount: Int64, lastUsed: Timestamp?, createdAt: Timestamp, metadata: JSON, trust: Trust = .trusted
  ) {
    self.trust = trust
    self.id = id
    self.domain = domain?.canonicallyComposed
    self.type = type
    self.data = data
    self.dataHash = dataHash
    self.successRate = successRate
    self.usageCount = usageCount
    self.lastUsed = lastUsed
    self.createdAt = createdAt
    self.metadata = metadata
  }

  /// The caller's part of a pattern; the engine adds the rest.
  public struct Draft: Hashable, Sendable {
    /// The kind of pattern.
    public var type: PatternType
    /// What is to be reused: any JSON value. The same data of a type again is the same pattern.
    public var data: JSON
    /// The domain that it belongs to, which alone sees it (I8); `nil`: shared by all.
    public var domain: String?
    /// 0...1; `nil` if unknown.
    public var successRate: Double?
    /// A JSON object.
    public var metadata: JSON

    /// What the caller knows; the engine adds the rest.
    public init(
      _ type: PatternType, data: JSON, domain: String? = nil, successRate: Double? = nil, metadata: JSON = [:]
    ) {
      self.type = type
      self.data = data
      self.domain = domain?.canonicallyComposed
      self.successRate = successRate
      self.metadata = metadata
    }

    /// With data of literals and variables.
    @_disfavoredOverload
    public init(
      _ type: PatternType, data: [String: (any JSONConvertible)?], domain: String? = nil, successRate: Double? = nil,
      metadata: JSON = [:]
    ) {
      self.init(type, data: JSON(data), domain: domain, successRate: successRate, metadata: metadata)
    }
  }

  /// Which patterns to return, ordered by success rate, then usage, both descending, then id; with `text` by how well its
  /// words match first.
  public struct Filter: Hashable, Sendable {
    /// Of this kind.
    public var type: PatternType?
    /// Natural words, never query syntax, of which the data has at least one: in a name, or in a value. Rare words weigh
    /// most (bm25).
    public var text: String?
    /// What the data contains: of an object, every member given, with what is given of its value; of an array, for every
    /// element given an element that contains it; other values are equal.
    public var data: JSON?
    /// The episode that they are linked to.
    public var episode: Episode.ID?
    /// Patterns that are known to succeed at least so often.
    public var minimumSuccessRate: Double?
    /// Patterns that are trusted less are left out; by default quarantined ones.
    public var minimumTrust: Trust
    /// At most so many, 1 to `Memory.Limits.results`.
    public var limit: Int

    /// What is left out does not restrict.
    public init(
      type: PatternType? = nil, text: String? = nil, data: JSON? = nil, episode: Episode.ID? = nil,
      minimumSuccessRate: Double? = nil, minimumTrust: Trust = .untrusted, limit: Int = 20
    ) {
      self.minimumTrust = minimumTrust
      self.type = type
      self.text = text
      self.data = data
      self.episode = episode
      self.minimumSuccessRate = minimumSuccessRate
      self.limit = limit
    }

    /// The words that are searched for; `nil` without a text.
    ///
    /// - Throws: `.invalid` for a text without a word.
    package func words() throws(MemoryError) -> PatternTerms? {
      guard let text else { return nil }
      let terms = PatternTerms(text: text)
      guard !terms.words.isEmpty else {
        throw MemoryError(.invalid, "the text \"\(text.prefix(40))\" of the pattern filter has no word; leave it out")
      }
      return terms
    }

    /// Words that data which contains `data` has, so that full text finds the few patterns to compare; `nil` if that tells
    /// nothing about words.
    ///
    /// Only strings of ASCII, which full text separates as it is done here: others might exclude what they should find.
    package func wordsOfData() -> PatternTerms? {
      let strings = (data?.strings ?? []).filter { text in
        text.utf8.count <= 100 && text.utf8.allSatisfy { $0 < 0x80 }
          && text.utf8.contains { UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 | 0x20 }
      }
      return strings.isEmpty ? nil : PatternTerms(phrases: Array(strings.sorted().prefix(16)))
    }
  }
}

extension Pattern: Cacheable {
  package func encode(to bytes: inout ByteWriter) {
    bytes.write(id.rawValue)
    bytes.write(domain) { $0.write($1) }
    bytes.write(type.rawValue)
    bytes.write(data)
    bytes.write(dataHash)
    bytes.write(successRate) { $0.write($1) }
    bytes.write(usageCount)
    bytes.write(lastUsed) { $0.write($1.milliseconds) }
    bytes.write(createdAt.milliseconds)
    bytes.write(metadata)
    bytes.write(UInt8(trust.level))
  }

  package init(from encoded: EncodedValue) throws(MalformedBytes) {
    self = try encoded.decode { reader throws(MalformedBytes) in try Pattern(from: &reader) }
  }

  private init(from bytes: inout ByteReader) throws(MalformedBytes) {
    self.init(
      id: ID(composed: try bytes.text()),
      domain: try bytes.optional { reader throws(MalformedBytes) in try reader.text() },
      type: PatternType(composed: try bytes.text()),
      data: try bytes.json(),
      dataHash: try bytes.text(),
      successRate: try bytes.optional { reader throws(MalformedBytes) in try reader.double() },
      usageCount: try bytes.integer(),
      lastUsed: try bytes.optional { reader throws(MalformedBytes) in Timestamp(milliseconds: try reader.integer()) },
      createdAt: Timestamp(milliseconds: try bytes.integer()),
      metadata: try bytes.json(),
      trust: Trust(level: Int(try bytes.integer(UInt8.self))) ?? .quarantined)
  }
}

/// The kind of pattern; an open set.
public struct PatternType: RawRepresentable, Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible,
  JSONConvertible
{
  public let rawValue: String
  public init(rawValue: String) { self.rawValue = rawValue.canonicallyComposed }
  /// A kind of pattern of your own; names are in Unicode form NFC.
  public init(_ rawValue: String) { self.init(rawValue: rawValue) }
  public init(stringLiteral value: String) { self.init(rawValue: value) }
  public var description: String { rawValue }

  /// Tools that work in this order.
  public static let toolSequence = PatternType("tool_sequence")
  /// An error and its remedy.
  public static let errorResolution = PatternType("error_resolution")
  /// What makes something faster or smaller.
  public static let optimization = PatternType("optimization")
  /// How something is tested.
  public static let testingStrategy = PatternType("testing_strategy")

  /// For a value that the engine stored, which is in normalisation form C already.
  init(composed rawValue: String) { self.rawValue = rawValue }
}
