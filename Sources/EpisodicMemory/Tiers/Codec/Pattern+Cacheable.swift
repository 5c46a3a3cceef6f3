public import ByteCoding

extension Pattern: Cacheable {
  public func encode(to bytes: inout ByteWriter) {
    bytes.write(id.rawValue)
    bytes.write(type.rawValue)
    bytes.write(data)
    bytes.write(dataHash)
    bytes.write(successRate) { $0.write($1) }
    bytes.write(usageCount)
    bytes.write(lastUsed) { $0.write($1.milliseconds) }
    bytes.write(createdAt.milliseconds)
    bytes.write(metadata)
  }

  public init(from encoded: EncodedValue) throws(MalformedBytes) {
    self = try encoded.decode { reader throws(MalformedBytes) in try Pattern(from: &reader) }
  }

  private init(from bytes: inout ByteReader) throws(MalformedBytes) {
    self.init(
      id: ID(composed: try bytes.text()),
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

extension PatternType {
  /// For values that the engine stored itself.
  init(composed rawValue: String) { self.rawValue = rawValue }
}
