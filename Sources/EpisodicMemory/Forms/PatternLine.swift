/// A pattern as one JSON object: `id`, `pattern_type`, `data` and `created_at`, and what else is known of it.
struct PatternLine {
  private static let nameWanted = "a string with at least one character"

  let pattern: Pattern

  /// Reads the pattern at the scanner's position. Without `data_hash` the hash is computed.
  ///
  /// - Throws: `.invalid`, naming field, value and remedy.
  init(_ scanner: inout JSONScanner) throws(MemoryError) {
    var id: String?, domain: String?, type: String?, hash: String?
    var data: JSON?, metadata: JSON = [:]
    var successRate: Double?
    var usageCount: Int64 = 0
    var lastUsed: Timestamp?, createdAt: Timestamp?
    var trust = Trust.trusted
    try scanner.object("one pattern as one JSON object") { scanner, name throws(MemoryError) in
      switch name {
      case "id": id = try scanner.text("a string of 1 to 128 bytes")
      case "domain": domain = try scanner.null() ? nil : try scanner.text(Self.nameWanted)
      case "pattern_type": type = try scanner.text(Self.nameWanted)
      case "data": data = try scanner.value()
      case "data_hash": hash = try scanner.null() ? nil : try scanner.text("64 hexadecimal digits")
      case "success_rate": successRate = try scanner.null() ? nil : try scanner.double("a number in 0...1, or null")
      case "usage_count": usageCount = try scanner.integer("a whole number")
      case "last_used": lastUsed = try scanner.null() ? nil : try scanner.time()
      case "created_at": createdAt = try scanner.time()
      case "metadata": metadata = try scanner.null() ? [:] : try scanner.value()
      case "trust": trust = try scanner.name(Provenance.trustWanted)
      default: throw scanner.fault("is no member of a pattern; put it under metadata")
      }
    }
    guard let id else { throw scanner.missing("id", "a string of 1 to 128 bytes") }
    guard let type else { throw scanner.missing("pattern_type", Self.nameWanted) }
    guard let data else { throw scanner.missing("data", "a JSON value") }
    guard let createdAt else { throw scanner.missing("created_at", JSONScanner.timeWanted) }
    pattern = Pattern(
      id: Pattern.ID(id), domain: domain, type: PatternType(type), data: data, dataHash: hash ?? data.canonicalHash,
      successRate: successRate, usageCount: usageCount, lastUsed: lastUsed, createdAt: createdAt, metadata: metadata,
      trust: trust)
  }
}

extension Pattern {
  /// The pattern as one JSON object; members that are `nil` are left out.
  public var json: JSON {
    var members: JSON.Object = [
      "id": .string(id.rawValue), "pattern_type": .string(type.rawValue), "data": data, "data_hash": .string(dataHash),
      "usage_count": .integer(usageCount), "created_at": .string(createdAt.description), "metadata": metadata,
    ]
    members["domain"] = domain.map(JSON.string)
    members["success_rate"] = successRate.map { JSON($0) }
    members["last_used"] = lastUsed.map { .string($0.description) }
    if trust != .trusted { members["trust"] = .string(trust.rawValue) }
    return .object(members)
  }
}
