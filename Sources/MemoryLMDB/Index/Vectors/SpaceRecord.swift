import ByteCoding
import EpisodicMemory
import Vectors

/// What the index knows of an embedding space: whose it is, and which slabs it has.
struct SpaceRecord: Sendable {
  /// A slab and what can be said of all in it without looking.
  struct Slab: Sendable {
    var id: UInt64
    var domain: UInt32
    var count: Int
    /// Of those, how many are not dead.
    var alive: Int
    /// The statuses of those, a bit each; there may be fewer by now.
    var statuses: UInt32
    /// The largest number of a session or a task type.
    var largestName: UInt32
    /// Rows of its vectors.
    var vectors: ClosedRange<Int64>
    /// Creation of their episodes.
    var created: ClosedRange<Int64>
  }

  let number: UInt64
  let model: String
  let dimensions: Int
  var slabs: [Slab] = []
  /// Vectors that are in no slab yet.
  var tailCount = 0
  /// Lengths of the vectors that were ever in it; where they are alike, every metric ranks as the cosine does.
  var norms: ClosedRange<Float>?

  init(number: UInt64, model: String, dimensions: Int) {
    self.number = number
    self.model = model
    self.dimensions = dimensions
  }

  var alive: Int { slabs.reduce(tailCount) { $0 + $1.alive } }

  /// Whether a metric that looks at lengths ranks otherwise than the cosine does.
  var lengthsDiffer: Bool {
    guard let norms else { return false }
    return norms.upperBound > norms.lowerBound * 1.001
  }

  mutating func note(norm: Float) {
    norms = min(norms?.lowerBound ?? norm, norm)...max(norms?.upperBound ?? norm, norm)
  }

  func encoded() -> [UInt8] {
    var bytes = ByteWriter(capacity: 128 + 64 * slabs.count)
    bytes.write(model)
    bytes.write(UInt32(clamping: dimensions))
    bytes.write(UInt32(clamping: tailCount))
    bytes.write((norms?.lowerBound ?? -1).bitPattern)
    bytes.write((norms?.upperBound ?? -1).bitPattern)
    bytes.write(slabs) { bytes, slab in
      bytes.write(slab.id)
      bytes.write(slab.domain)
      bytes.write(UInt32(clamping: slab.count))
      bytes.write(UInt32(clamping: slab.alive))
      bytes.write(slab.statuses)
      bytes.write(slab.largestName)
      bytes.write(slab.vectors.lowerBound)
      bytes.write(slab.vectors.upperBound)
      bytes.write(slab.created.lowerBound)
      bytes.write(slab.created.upperBound)
    }
    return bytes.bytes
  }

  init(number: UInt64, _ bytes: inout ByteReader) throws(MalformedBytes) {
    self.number = number
    model = try bytes.text()
    dimensions = Int(try bytes.integer(UInt32.self))
    guard Vector.supportedDimensions.contains(dimensions) else { throw MalformedBytes() }
    tailCount = Int(try bytes.integer(UInt32.self))
    let low = Float(bitPattern: try bytes.integer())
    let high = Float(bitPattern: try bytes.integer())
    if low >= 0, low <= high { norms = low...high }
    slabs = try bytes.array { bytes throws(MalformedBytes) in
      Slab(
        id: try bytes.integer(), domain: try bytes.integer(), count: try Self.count(&bytes),
        alive: try Self.count(&bytes), statuses: try bytes.integer(), largestName: try bytes.integer(),
        vectors: try Self.range(&bytes), created: try Self.range(&bytes))
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
