import ByteCoding
import Vectors

/// A vector space of the table: its name, its slabs and bounds of what is in them.
struct SpaceRecord: Sendable {
  /// A slab and bounds of what is in it, by which a search passes over it or over its filter.
  struct Slab: Sendable {
    var id: UInt64
    var partition: UInt32
    var count: Int
    /// Vectors that are not dead.
    var alive: Int
    /// A bit for each state that a vector had when the slab was written or has been given since.
    var states: UInt32
    /// The largest series or kind.
    var largestLabel: UInt32
    var ids: ClosedRange<Int64>
    var times: ClosedRange<Int64>
  }

  let number: UInt64
  let name: String
  let dimensions: Int
  var slabs: [Slab] = []
  /// Vectors of the tail, which are in no slab yet.
  var tailCount = 0
  /// Bounds the lengths of all vectors that were ever in it. If they are alike, every metric ranks as the cosine does.
  var norms: ClosedRange<Float>?

  init(number: UInt64, name: String, dimensions: Int) {
    self.number = number
    self.name = name
    self.dimensions = dimensions
  }

  var alive: Int { slabs.reduce(tailCount) { $0 + $1.alive } }

  /// Whether a metric that depends on lengths may rank otherwise than the cosine does.
  var lengthsDiffer: Bool {
    guard let norms else { return false }
    return norms.upperBound > norms.lowerBound * 1.001
  }

  mutating func include(norm: Float) {
    norms = min(norms?.lowerBound ?? norm, norm)...max(norms?.upperBound ?? norm, norm)
  }

  func encoded() -> [UInt8] {
    var bytes = ByteWriter(capacity: 128 + 64 * slabs.count)
    bytes.write(name)
    bytes.write(UInt32(clamping: dimensions))
    bytes.write(UInt32(clamping: tailCount))
    bytes.write((norms?.lowerBound ?? -1).bitPattern)
    bytes.write((norms?.upperBound ?? -1).bitPattern)
    bytes.write(slabs) { bytes, slab in
      bytes.write(slab.id)
      bytes.write(slab.partition)
      bytes.write(UInt32(clamping: slab.count))
      bytes.write(UInt32(clamping: slab.alive))
      bytes.write(slab.states)
      bytes.write(slab.largestLabel)
      bytes.write(slab.ids.lowerBound)
      bytes.write(slab.ids.upperBound)
      bytes.write(slab.times.lowerBound)
      bytes.write(slab.times.upperBound)
    }
    return bytes.bytes
  }

  init(number: UInt64, _ bytes: inout ByteReader) throws(MalformedBytes) {
    self.number = number
    name = try bytes.text()
    dimensions = Int(try bytes.integer(UInt32.self))
    guard Vector.supportedDimensions.contains(dimensions) else { throw MalformedBytes() }
    tailCount = Int(try bytes.integer(UInt32.self))
    let low = Float(bitPattern: try bytes.integer())
    let high = Float(bitPattern: try bytes.integer())
    if low >= 0, low <= high { norms = low...high }
    slabs = try bytes.array { bytes throws(MalformedBytes) in
      Slab(
        id: try bytes.integer(), partition: try bytes.integer(), count: try Self.count(&bytes),
        alive: try Self.count(&bytes), states: try bytes.integer(), largestLabel: try bytes.integer(),
        ids: try Self.range(&bytes), times: try Self.range(&bytes))
    }
  }

  private static func count(_ bytes: inout ByteReader) throws(MalformedBytes) -> Int {
    let count = Int(try bytes.integer(UInt32.self))
    guard count <= SlabLayout.capacity else { throw MalformedBytes() }
    return count
  }

  private static func range(_ bytes: inout ByteReader) throws(MalformedBytes) -> ClosedRange<Int64> {
    let (low, high): (Int64, Int64) = (try bytes.integer(), try bytes.integer())
    guard low <= high else { throw MalformedBytes() }
    return low...high
  }
}
