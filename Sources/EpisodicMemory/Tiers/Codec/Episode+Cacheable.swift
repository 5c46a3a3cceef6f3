extension Episode: Cacheable {
  public func encode(to bytes: inout ByteWriter) {
    bytes.write(id.rawValue)
    bytes.write(taskType.rawValue)
    bytes.write(domain)
    bytes.write(session) { $0.write($1) }
    bytes.write(context)
    bytes.write(status.code)
    bytes.write(successRate) { $0.write($1) }
    bytes.write(createdAt.milliseconds)
    bytes.write(completedAt) { $0.write($1.milliseconds) }
    bytes.write(metadata)
    bytes.write(embeddingVersion)
    bytes.write(steps) { $1.encode(to: &$0) }
  }

  public init(from bytes: inout ByteReader) throws(MalformedBytes) {
    self.init(
      id: ID(composed: try bytes.text()),
      taskType: TaskType(composed: try bytes.text()),
      domain: try bytes.text(),
      session: try bytes.optional { reader throws(MalformedBytes) in try reader.text() },
      context: try bytes.text(),
      status: try Status(code: try bytes.integer()),
      successRate: try bytes.optional { reader throws(MalformedBytes) in try reader.double() },
      createdAt: Timestamp(milliseconds: try bytes.integer()),
      completedAt: try bytes.optional { reader throws(MalformedBytes) in
        Timestamp(milliseconds: try reader.integer())
      },
      metadata: try bytes.json(),
      embeddingVersion: try bytes.integer(),
      steps: try bytes.array { reader throws(MalformedBytes) in try Step(from: &reader) })
  }
}

extension Step {
  func encode(to bytes: inout ByteWriter) {
    bytes.write(id.rawValue)
    bytes.write(Int64(number))
    bytes.write(action)
    bytes.write(result) { $0.write($1) }
    bytes.write(tool) { $0.write($1) }
    bytes.write(duration) { $0.write($1.milliseconds) }
    bytes.write(success) { $0.write($1) }
    bytes.write(timestamp.milliseconds)
  }

  init(from bytes: inout ByteReader) throws(MalformedBytes) {
    self.init(
      id: ID(composed: try bytes.text()),
      number: Int(truncatingIfNeeded: try bytes.integer(Int64.self)),
      action: try bytes.text(),
      result: try bytes.optional { reader throws(MalformedBytes) in try reader.text() },
      tool: try bytes.optional { reader throws(MalformedBytes) in try reader.text() },
      duration: try bytes.optional { reader throws(MalformedBytes) in .milliseconds(try reader.integer(Int64.self)) },
      success: try bytes.optional { reader throws(MalformedBytes) in try reader.bool() },
      timestamp: Timestamp(milliseconds: try bytes.integer()))
  }
}

extension Episode.Status {
  fileprivate var code: UInt8 {
    switch self {
    case .active: 0
    case .completed: 1
    case .failed: 2
    case .archived: 3
    }
  }

  fileprivate init(code: UInt8) throws(MalformedBytes) {
    guard let status = Self.allCases.first(where: { $0.code == code }) else { throw MalformedBytes() }
    self = status
  }
}

extension TaskType {
  /// For values that the engine stored itself.
  init(composed rawValue: String) { self.rawValue = rawValue }
}
