public import ByteCoding
import Synchronization

/// An episode in its binary form, of which the context and the steps are decoded when somebody asks, and once.
///
/// Layout, little-endian; offsets in bytes:
///
/// | at | | |
/// | --- | --- | --- |
/// | 0 | UInt8 | status, see `Episode.Status.code` |
/// | 1 | UInt8 | which of the optional fields there are, see `Fields` |
/// | 4 | UInt32 | count of steps |
/// | 8 | Double | success rate |
/// | 16 | Int64 | created at |
/// | 24 | Int64 | completed at |
/// | 32 | Int64 | embedding version |
/// | 40 | UInt32 each | bytes of id, task type, domain, session, metadata, context |
/// | 64 | 48 bytes each | steps, see `StepRecord` |
/// | | | id, task type, domain, session, metadata, context; then of each step its id, action, result, tool |
///
/// The lengths come first and must add up to the bytes there are: that one look makes every later one safe, so what is
/// decoded on demand cannot fail.
final class EncodedEpisode: Sendable {
  static let headerCount = 64

  struct Fields: OptionSet {
    let rawValue: UInt8
    static let session = Fields(rawValue: 1)
    static let successRate = Fields(rawValue: 2)
    static let completedAt = Fields(rawValue: 4)
  }

  private let value: EncodedValue
  private let stepCount: Int
  private let contextRange: Range<Int>
  private let decodedContext = AtomicLazyReference<Box<String>>()
  private let decodedSteps = AtomicLazyReference<Box<[Step]>>()

  private final class Box<Value: Sendable>: Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
  }

  /// - Parameter contextRange: Where the context lies; what follows it are the texts of the steps.
  fileprivate init(_ value: EncodedValue, stepCount: Int, contextRange: Range<Int>) {
    self.value = value
    self.stepCount = stepCount
    self.contextRange = contextRange
  }

  var context: String {
    if let known = decodedContext.load() { return known.value }
    let context = value.withBytes { $0.text(at: contextRange.lowerBound, contextRange.count) }
    return decodedContext.storeIfNil(Box(context)).value
  }

  var steps: [Step] {
    if stepCount == 0 { return [] }
    if let known = decodedSteps.load() { return known.value }
    return decodedSteps.storeIfNil(Box(decodeSteps())).value
  }

  /// Whether nothing tells the context and the steps of two apart; `false` says nothing.
  func isIdentical(to other: EncodedEpisode) -> Bool { self === other || value.isIdentical(to: other.value) }

  private func decodeSteps() -> [Step] {
    value.withBytes { bytes in
      var steps: [Step] = []
      steps.reserveCapacity(stepCount)
      var at = contextRange.upperBound
      for index in 0..<stepCount {
        let record = StepRecord(bytes, index)
        let id = at
        let action = id + record.idCount
        let result = action + record.actionCount
        let tool = result + (record.resultCount ?? 0)
        at = tool + (record.toolCount ?? 0)
        steps.append(
          Step(
            id: Step.ID(composed: bytes.text(at: id, record.idCount)), number: record.number,
            action: bytes.text(at: action, record.actionCount),
            result: record.resultCount.map { bytes.text(at: result, $0) },
            tool: record.toolCount.map { bytes.text(at: tool, $0) }, duration: record.duration, success: record.success,
            timestamp: record.timestamp))
      }
      return steps
    }
  }
}

extension Episode: Cacheable {
  public init(from encoded: EncodedValue) throws(MalformedBytes) {
    self = try encoded.withBytes { raw throws(MalformedBytes) in
      guard raw.count >= EncodedEpisode.headerCount else { throw MalformedBytes() }
      let stepCount = Int(raw.integer(at: 4, as: UInt32.self))
      let texts = EncodedEpisode.headerCount + stepCount * StepRecord.byteCount
      guard texts <= raw.count else { throw MalformedBytes() }
      // In the order in which they lie there: where each ends.
      var end = texts
      let ends = InlineArray<6, Int> { index in
        end += Int(raw.integer(at: 40 + 4 * index, as: UInt32.self))
        return end
      }
      var stepTexts = 0
      for index in 0..<stepCount { stepTexts += StepRecord(raw, index).textCount }
      guard ends[5] + stepTexts == raw.count else { throw MalformedBytes() }
      let fields = EncodedEpisode.Fields(rawValue: raw[1])
      return Episode(
        id: ID(composed: raw.text(at: texts, ends[0] - texts)),
        taskType: TaskType(composed: raw.text(at: ends[0], ends[1] - ends[0])),
        domain: raw.text(at: ends[1], ends[2] - ends[1]),
        session: fields.contains(.session) ? raw.text(at: ends[2], ends[3] - ends[2]) : nil,
        status: try Status(code: raw[0]),
        successRate: fields.contains(.successRate) ? Double(bitPattern: raw.integer(at: 8)) : nil,
        createdAt: Timestamp(milliseconds: raw.integer(at: 16)),
        completedAt: fields.contains(.completedAt) ? Timestamp(milliseconds: raw.integer(at: 24)) : nil,
        metadata: try JSON(UnsafeRawBufferPointer(rebasing: raw[ends[3]..<ends[4]])),
        embeddingVersion: raw.integer(at: 32),
        texts: EncodedEpisode(encoded, stepCount: stepCount, contextRange: ends[4]..<ends[5]))
    }
  }

  public func encode(to bytes: inout ByteWriter) {
    var fields: EncodedEpisode.Fields = []
    if session != nil { fields.insert(.session) }
    if successRate != nil { fields.insert(.successRate) }
    if completedAt != nil { fields.insert(.completedAt) }
    var metadata = ByteWriter(capacity: 16)
    if self.metadata != [:] { metadata.write(self.metadata) }
    let texts = [id.rawValue, taskType.rawValue, domain, session ?? ""]
    bytes.write(status.code)
    bytes.write(fields.rawValue)
    bytes.write(UInt16(0))
    bytes.write(UInt32(clamping: steps.count))
    bytes.write(successRate ?? 0)
    bytes.write(createdAt.milliseconds)
    bytes.write(completedAt?.milliseconds ?? 0)
    bytes.write(embeddingVersion)
    for text in texts { bytes.write(UInt32(clamping: text.utf8.count)) }
    bytes.write(UInt32(clamping: metadata.bytes.count))
    bytes.write(UInt32(clamping: context.utf8.count))
    for step in steps { StepRecord.write(step, to: &bytes) }
    for text in texts { bytes.writeRaw(text) }
    bytes.writeRaw(metadata.bytes)
    bytes.writeRaw(context)
    for step in steps {
      for text in [step.id.rawValue, step.action, step.result ?? "", step.tool ?? ""] { bytes.writeRaw(text) }
    }
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

extension JSON {
  /// No bytes stand for the empty object.
  fileprivate init(_ bytes: UnsafeRawBufferPointer) throws(MalformedBytes) {
    guard !bytes.isEmpty else {
      self = [:]
      return
    }
    self = try ByteReader.decode(bytes.bytes) { reader throws(MalformedBytes) in try reader.json() }
  }
}
