package import ByteCoding
import Synchronization

/// An episode in its binary form. Context and steps are each decoded once, on first use.
///
/// Layout, little-endian; offsets in bytes:
///
/// | at | | |
/// | --- | --- | --- |
/// | 0 | UInt8 | status, see `Episode.Status.code` |
/// | 1 | UInt8 | which optional fields are present, see `Fields` |
/// | 2 | UInt8 | trust, see `Trust.code` |
/// | 4 | UInt32 | count of steps |
/// | 8 | Double | success rate |
/// | 16 | Int64 | created at |
/// | 24 | Int64 | completed at |
/// | 32 | Int64 | embedding version |
/// | 40 | UInt32 each | bytes of id, task type, domain, session, metadata, context |
/// | 64 | 48 bytes each | steps, see `StepRecord` |
/// | | | id, task type, domain, session, metadata, context; then of each step its id, action, result, tool |
/// | | | if any is known: provenance, parents, and the provenance of steps, see `EncodedProvenance` |
///
/// The lengths come first and must add up to the number of bytes. `init` checks that once, so that decoding on demand cannot
/// fail.
final class EncodedEpisode: Sendable {
  static let headerCount = 64

  struct Fields: OptionSet {
    let rawValue: UInt8
    static let session = Fields(rawValue: 1)
    static let successRate = Fields(rawValue: 2)
    static let completedAt = Fields(rawValue: 4)
    static let provenance = Fields(rawValue: 8)
  }

  private let value: EncodedValue
  let stepCount: Int
  private let contextRange: Range<Int>
  /// Of steps, by their places.
  private let provenances: [Int: Provenance]
  private let decodedContext = AtomicLazyReference<Box<String>>()
  private let decodedSteps = AtomicLazyReference<Box<[Step]>>()

  private final class Box<Value: Sendable>: Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
  }

  /// - Parameter contextRange: Bytes of the context; the texts of the steps follow them.
  fileprivate init(
    _ value: EncodedValue, stepCount: Int, contextRange: Range<Int>, provenances: [Int: Provenance]
  ) {
    self.value = value
    self.provenances = provenances
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
    return decodedSteps.storeIfNil(Box(decodeSteps(from: 0))).value
  }

  /// The last steps, decoded without those before them.
  func lastSteps(_ count: Int) -> [Step] {
    if let known = decodedSteps.load() { return known.value.suffix(count) }
    return decodeSteps(from: max(0, stepCount - count))
  }

  /// Whether context and steps have the same bytes. If not, they may still be equal.
  func isIdentical(to other: EncodedEpisode) -> Bool { self === other || value.isIdentical(to: other.value) }

  private func decodeSteps(from first: Int) -> [Step] {
    value.withBytes { bytes in
      var steps: [Step] = []
      steps.reserveCapacity(stepCount - first)
      var at = contextRange.upperBound
      for index in 0..<first { at += StepRecord(bytes, index).textCount }
      for index in first..<stepCount {
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
            timestamp: record.timestamp, provenance: provenances[index] ?? Provenance()))
      }
      return steps
    }
  }
}

extension Episode: Cacheable {
  package init(from encoded: EncodedValue) throws(MalformedBytes) {
    self = try encoded.withBytes { raw throws(MalformedBytes) in
      guard raw.count >= EncodedEpisode.headerCount else { throw MalformedBytes() }
      let stepCount = Int(raw.integer(at: 4, as: UInt32.self))
      let texts = EncodedEpisode.headerCount + stepCount * StepRecord.byteCount
      guard texts <= raw.count else { throw MalformedBytes() }
      // End offset of each text, in their order.
      var end = texts
      let ends = InlineArray<6, Int> { index in
        end += Int(raw.integer(at: 40 + 4 * index, as: UInt32.self))
        return end
      }
      var stepTexts = 0
      for index in 0..<stepCount { stepTexts += StepRecord(raw, index).textCount }
      let textsEnd = ends[5] + stepTexts
      let fields = EncodedEpisode.Fields(rawValue: raw[1])
      var known = EncodedProvenance()
      if fields.contains(.provenance), textsEnd <= raw.count {
        known = try EncodedProvenance(UnsafeRawBufferPointer(rebasing: raw[textsEnd...]))
      } else {
        guard textsEnd == raw.count else { throw MalformedBytes() }
      }
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
        provenance: known.episode, parents: known.parents, trust: try Trust(encoded: raw[2]),
        embeddingVersion: raw.integer(at: 32),
        texts: EncodedEpisode(
          encoded, stepCount: stepCount, contextRange: ends[4]..<ends[5], provenances: known.steps))
    }
  }

  package func encode(to bytes: inout ByteWriter) {
    var fields: EncodedEpisode.Fields = []
    if session != nil { fields.insert(.session) }
    if successRate != nil { fields.insert(.successRate) }
    if completedAt != nil { fields.insert(.completedAt) }
    let known = EncodedProvenance(of: self)
    if !known.isEmpty { fields.insert(.provenance) }
    var metadata = ByteWriter(capacity: 16)
    if self.metadata != [:] { metadata.write(self.metadata) }
    let texts = [id.rawValue, taskType.rawValue, domain, session ?? ""]
    bytes.write(status.code)
    bytes.write(fields.rawValue)
    bytes.write(trust.code)
    bytes.write(UInt8(0))
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
    if !known.isEmpty { known.encode(to: &bytes) }
  }
}

/// Where an episode and its steps came from, behind the texts of the few episodes that tell it.
///
/// Layout: the provenance of the episode; the number of parents UInt32, and their ids; the number of steps that have one UInt32,
/// and of each its place UInt32 and its provenance. A provenance: source and trust, UInt8 each, 255 for none; then source id and
/// actor as optional texts.
private struct EncodedProvenance {
  private(set) var episode = Provenance()
  private(set) var parents: [Episode.ID] = []
  /// By their places.
  private(set) var steps: [Int: Provenance] = [:]

  private static let none: UInt8 = 255

  init() {}

  init(of episode: Episode) {
    self.episode = episode.provenance
    parents = episode.parents
    for (place, step) in episode.steps.enumerated() where !step.provenance.isEmpty { steps[place] = step.provenance }
  }

  init(_ bytes: UnsafeRawBufferPointer) throws(MalformedBytes) {
    self = try ByteReader.decode(bytes.bytes) { reader throws(MalformedBytes) in
      var known = EncodedProvenance()
      known.episode = try Self.provenance(&reader)
      for _ in 0..<(try reader.integer() as UInt32) { known.parents.append(Episode.ID(composed: try reader.text())) }
      for _ in 0..<(try reader.integer() as UInt32) {
        let place: UInt32 = try reader.integer()
        known.steps[Int(place)] = try Self.provenance(&reader)
      }
      return known
    }
  }

  var isEmpty: Bool { episode.isEmpty && parents.isEmpty && steps.isEmpty }

  func encode(to bytes: inout ByteWriter) {
    Self.write(episode, to: &bytes)
    bytes.write(UInt32(clamping: parents.count))
    for parent in parents { bytes.write(parent.rawValue) }
    bytes.write(UInt32(clamping: steps.count))
    for (place, provenance) in steps.sorted(by: { $0.key < $1.key }) {
      bytes.write(UInt32(clamping: place))
      Self.write(provenance, to: &bytes)
    }
  }

  private static func write(_ provenance: Provenance, to bytes: inout ByteWriter) {
    bytes.write(provenance.source.flatMap { Provenance.Source.allCases.firstIndex(of: $0) }.map(UInt8.init) ?? none)
    bytes.write(provenance.trust?.code ?? none)
    bytes.write(provenance.sourceID) { $0.write($1) }
    bytes.write(provenance.actor) { $0.write($1) }
  }

  private static func provenance(_ reader: inout ByteReader) throws(MalformedBytes) -> Provenance {
    let source: UInt8 = try reader.integer()
    let trust: UInt8 = try reader.integer()
    guard source == none || Int(source) < Provenance.Source.allCases.count else { throw MalformedBytes() }
    var provenance = Provenance()
    if source != none { provenance.source = Provenance.Source.allCases[Int(source)] }
    if trust != none { provenance.trust = try Trust(encoded: trust) }
    provenance.sourceID = try reader.optional { reader throws(MalformedBytes) in try reader.text() }
    provenance.actor = try reader.optional { reader throws(MalformedBytes) in try reader.text() }
    return provenance
  }
}

extension Trust {
  fileprivate init(encoded code: UInt8) throws(MalformedBytes) {
    guard let trust = Trust(code: code) else { throw MalformedBytes() }
    self = trust
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
  /// For a value that the engine stored, which is in normalisation form C already.
  init(composed rawValue: String) { self.rawValue = rawValue }
}

extension JSON {
  /// No bytes encode the empty object.
  fileprivate init(_ bytes: UnsafeRawBufferPointer) throws(MalformedBytes) {
    guard !bytes.isEmpty else {
      self = [:]
      return
    }
    self = try ByteReader.decode(bytes.bytes) { reader throws(MalformedBytes) in try reader.json() }
  }
}

/// The fields of a step in an encoded episode, without its texts.
///
/// Layout, little-endian; offsets in bytes: number Int64; 8 timestamp Int64; 16 duration Int64 in milliseconds, the
/// smallest for none; 24 UInt32 each: bytes of id, action, result and tool, the largest of the latter two for none;
/// 40 success UInt8, 2 for unknown; then zeros.
struct StepRecord {
  static let byteCount = 48
  private static let none = UInt32.max

  private let bytes: UnsafeRawBufferPointer
  private let start: Int

  /// - Parameter bytes: An episode with more than `index` steps.
  @inline(__always)
  init(_ bytes: UnsafeRawBufferPointer, _ index: Int) {
    self.bytes = bytes
    start = EncodedEpisode.headerCount + index * Self.byteCount
  }

  var number: Int { Int(truncatingIfNeeded: bytes.integer(at: start, as: Int64.self)) }
  var timestamp: Timestamp { Timestamp(milliseconds: bytes.integer(at: start + 8)) }

  var duration: Duration? {
    let milliseconds: Int64 = bytes.integer(at: start + 16)
    return milliseconds == .min ? nil : .milliseconds(milliseconds)
  }

  @inline(__always) var idCount: Int { Int(bytes.integer(at: start + 24, as: UInt32.self)) }
  @inline(__always) var actionCount: Int { Int(bytes.integer(at: start + 28, as: UInt32.self)) }
  @inline(__always) var resultCount: Int? { count(start + 32) }
  @inline(__always) var toolCount: Int? { count(start + 36) }

  var success: Bool? {
    switch bytes[start + 40] {
    case 0: false
    case 1: true
    default: nil
    }
  }

  /// Of all its texts.
  @inline(__always)
  var textCount: Int { idCount + actionCount + (resultCount ?? 0) + (toolCount ?? 0) }

  @inline(__always)
  private func count(_ offset: Int) -> Int? {
    let count: UInt32 = bytes.integer(at: offset)
    return count == Self.none ? nil : Int(count)
  }

  static func write(_ step: Step, to bytes: inout ByteWriter) {
    bytes.write(Int64(step.number))
    bytes.write(step.timestamp.milliseconds)
    bytes.write(step.duration?.milliseconds ?? .min)
    bytes.write(UInt32(clamping: step.id.rawValue.utf8.count))
    bytes.write(UInt32(clamping: step.action.utf8.count))
    bytes.write(step.result.map { UInt32(clamping: $0.utf8.count) } ?? none)
    bytes.write(step.tool.map { UInt32(clamping: $0.utf8.count) } ?? none)
    bytes.write(step.success.map { UInt64($0 ? 1 : 0) } ?? 2)
  }
}
