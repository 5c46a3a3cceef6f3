package import ByteCoding

/// A reusable regularity: what worked repeatedly.
public struct Pattern: Identifiable, Hashable, Sendable {
  public typealias ID = Identifier<Pattern>

  public let id: ID
  /// The domain that it belongs to, which alone sees it (I8); `nil`: shared by all.
  public let domain: String?
  public let type: PatternType
  public let data: JSON
  /// SHA-256 of the canonical JSON; type, hash and domain identify a pattern.
  public let dataHash: String
  /// 0...1, `nil` if unknown.
  public var successRate: Double?
  public var usageCount: Int64
  public var lastUsed: Timestamp?
  public var createdAt: Timestamp
  public var metadata: JSON

  public init(
    id: ID, domain: String? = nil, type: PatternType, data: JSON, dataHash: String, successRate: Double?,
    usageCount: Int64, lastUsed: Timestamp?, createdAt: Timestamp, metadata: JSON
  ) {
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
    public var type: PatternType
    public var data: JSON
    /// The domain that it belongs to, which alone sees it (I8); `nil`: shared by all.
    public var domain: String?
    public var successRate: Double?
    public var metadata: JSON

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
      _ type: PatternType, data: [String: (any JSONConvertible)?], successRate: Double? = nil, metadata: JSON = [:]
    ) {
      self.init(type, data: JSON(data), successRate: successRate, metadata: metadata)
    }
  }

  /// Which patterns to return, ordered by success rate, then usage, both descending, then id.
  public struct Filter: Hashable, Sendable {
    public var type: PatternType?
    public var minimumSuccessRate: Double?
    public var limit: Int

    public init(type: PatternType? = nil, minimumSuccessRate: Double? = nil, limit: Int = 20) {
      self.type = type
      self.minimumSuccessRate = minimumSuccessRate
      self.limit = limit
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
      metadata: try bytes.json())
  }
}

/// The kind of pattern; an open set.
public struct PatternType: RawRepresentable, Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible,
  JSONConvertible
{
  public let rawValue: String
  public init(rawValue: String) { self.rawValue = rawValue.canonicallyComposed }
  public init(_ rawValue: String) { self.init(rawValue: rawValue) }
  public init(stringLiteral value: String) { self.init(rawValue: value) }
  public var description: String { rawValue }

  public static let toolSequence = PatternType("tool_sequence")
  public static let errorResolution = PatternType("error_resolution")
  public static let optimization = PatternType("optimization")
  public static let testingStrategy = PatternType("testing_strategy")

  /// For a value that the engine stored, which is in normalisation form C already.
  init(composed rawValue: String) { self.rawValue = rawValue }
}
