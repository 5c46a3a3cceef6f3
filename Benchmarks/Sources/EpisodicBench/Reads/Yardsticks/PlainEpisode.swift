import Episodic

/// An episode with all values created at once, as the yardsticks read it.
struct PlainEpisode {
  struct Step {
    var id: String
    var number: Int64
    var action: String
    var result: String?
    var tool: String?
    var duration: Int64?
    var success: Bool?
    var timestamp: Int64
  }

  var id: String
  var taskType: String
  var domain: String
  var session: String?
  var context: String
  var status: String
  var successRate: Double?
  var createdAt: Int64
  var completedAt: Int64?
  /// As JSON text.
  var metadata: String
  var embeddingVersion: Int64
  var steps: [Step]
}

extension PlainEpisode {
  /// Metadata are `{}` in every episode of the workload.
  init(_ episode: Episode) {
    self.init(
      id: episode.id.rawValue, taskType: episode.taskType.rawValue, domain: episode.domain, session: episode.session,
      context: episode.context, status: episode.status.rawValue, successRate: episode.successRate,
      createdAt: episode.createdAt.milliseconds, completedAt: episode.completedAt?.milliseconds, metadata: "{}",
      embeddingVersion: episode.embeddingVersion,
      steps: episode.steps.map { step in
        Step(
          id: step.id.rawValue, number: Int64(step.number), action: step.action, result: step.result, tool: step.tool,
          duration: step.duration.map { Int64($0 / .milliseconds(1)) }, success: step.success,
          timestamp: step.timestamp.milliseconds)
      })
  }

  /// The same sum as `Episode.digest`.
  var digest: UInt64 {
    var sum = Int64(
      id.utf8.count + taskType.utf8.count + domain.utf8.count + (session?.utf8.count ?? 0) + context.utf8.count
        + status.utf8.count + metadata.utf8.count)
    sum &+= createdAt &+ (completedAt ?? 0) &+ embeddingVersion
    sum &+= Int64((successRate ?? 0) * 1000)
    for step in steps {
      sum &+= Int64(
        step.id.utf8.count + step.action.utf8.count + (step.result?.utf8.count ?? 0) + (step.tool?.utf8.count ?? 0))
      sum &+= step.number &+ step.timestamp
      if step.success == true { sum &+= 1 }
      if let duration = step.duration, duration >= 0 { sum &+= 1 }
    }
    return UInt64(bitPattern: sum)
  }
}

/// The fully decoding codec: little-endian integers, texts as length and UTF-8, in the order of the fields.
extension PlainEpisode {
  var encoded: [UInt8] {
    var bytes = PlainWriter()
    for text in [id, taskType, domain] { bytes.write(text) }
    bytes.write(session) { $0.write($1) }
    for text in [context, status] { bytes.write(text) }
    bytes.write(successRate) { $0.write($1.bitPattern) }
    bytes.write(createdAt)
    bytes.write(completedAt) { $0.write($1) }
    bytes.write(metadata)
    bytes.write(embeddingVersion)
    bytes.write(UInt32(steps.count))
    for step in steps {
      bytes.write(step.id)
      bytes.write(step.number)
      bytes.write(step.action)
      bytes.write(step.result) { $0.write($1) }
      bytes.write(step.tool) { $0.write($1) }
      bytes.write(step.duration) { $0.write($1) }
      bytes.write(step.success) { $0.write(UInt8($1 ? 1 : 0)) }
      bytes.write(step.timestamp)
    }
    return bytes.bytes
  }

  /// Creates every value.
  init(decoding bytes: UnsafeRawBufferPointer) throws {
    var reader = PlainReader(bytes)
    self.init(
      id: try reader.text(), taskType: try reader.text(), domain: try reader.text(),
      session: try reader.optional { try $0.text() }, context: try reader.text(), status: try reader.text(),
      successRate: try reader.optional { Double(bitPattern: try $0.integer()) }, createdAt: try reader.integer(),
      completedAt: try reader.optional { try $0.integer() }, metadata: try reader.text(),
      embeddingVersion: try reader.integer(), steps: [])
    let count = Int(try reader.integer(UInt32.self))
    steps.reserveCapacity(min(count, bytes.count))
    for _ in 0..<count {
      steps.append(
        Step(
          id: try reader.text(), number: try reader.integer(), action: try reader.text(),
          result: try reader.optional { try $0.text() }, tool: try reader.optional { try $0.text() },
          duration: try reader.optional { try $0.integer() },
          success: try reader.optional { try $0.integer(UInt8.self) != 0 }, timestamp: try reader.integer()))
    }
  }
}

private struct PlainWriter {
  private(set) var bytes: [UInt8] = []

  mutating func write(_ value: some FixedWidthInteger) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func write(_ text: String) {
    write(UInt32(text.utf8.count))
    bytes.append(contentsOf: text.utf8)
  }

  mutating func write<Value>(_ value: Value?, with write: (inout PlainWriter, Value) -> Void) {
    self.write(UInt8(value == nil ? 0 : 1))
    if let value { write(&self, value) }
  }
}

private struct PlainReader {
  private let bytes: UnsafeRawBufferPointer
  private var position = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  @inline(__always)
  mutating func integer<Value: FixedWidthInteger>(_ type: Value.Type = Value.self) throws -> Value {
    let start = try advance(by: MemoryLayout<Value>.size)
    return Value(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: Value.self))
  }

  @inline(__always)
  mutating func text() throws -> String {
    let count = Int(try integer(UInt32.self))
    let start = try advance(by: count)
    return String(decoding: UnsafeRawBufferPointer(rebasing: bytes[start..<start + count]), as: UTF8.self)
  }

  @inline(__always)
  mutating func optional<Value>(_ read: (inout PlainReader) throws -> Value) throws -> Value? {
    try integer(UInt8.self) == 0 ? nil : try read(&self)
  }

  @inline(__always)
  private mutating func advance(by count: Int) throws -> Int {
    guard count <= bytes.count - position else { throw BenchError("an entry of the yardstick is cut off") }
    defer { position += count }
    return position
  }
}
