import ByteCoding

/// What an encoded episode holds of a step beside its texts.
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
