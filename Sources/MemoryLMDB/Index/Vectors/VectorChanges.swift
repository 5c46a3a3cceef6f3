import EpisodicMemory
import Vectors

/// What is to happen to the vectors of the index in one transaction: departures first, then arrivals.
struct VectorChanges {
  /// Rows of vectors that are gone, or will come anew among the arrivals.
  var departures: Set<Int64> = []
  /// Statuses of episodes by rows of their vectors.
  var statuses: [Int64: UInt8] = [:]
  private(set) var arrivals: [Space: SlabBuffer] = [:]
  /// Of the arrivals, encoded.
  private(set) var byteCount = 0
  private var encoders: [Int: CodeEncoder] = [:]

  struct Space: Hashable {
    let model: String
    let dimensions: Int
  }

  var isEmpty: Bool { departures.isEmpty && statuses.isEmpty && arrivals.isEmpty }

  mutating func arrive(_ vector: IndexedVector, _ attributes: NamedAttributes, epoch: UInt64) {
    guard Self.isVector(vector) else { return }
    let dimensions = vector.dimensions
    let encoder = encoders[dimensions] ?? CodeEncoder(dimensions: dimensions)
    encoders[dimensions] = encoder
    let layout = SlabLayout(dimensions: dimensions)
    byteCount += layout.bytesPerVector
    arrivals[Space(model: vector.model, dimensions: dimensions), default: SlabBuffer(layout)].append(
      vector: vector.row, episode: vector.episode, attributes, components: vector.components, encoder, epoch: epoch)
  }

  /// What a vector takes among the arrivals.
  static func bytes(of vector: IndexedVector) -> Int {
    isVector(vector) ? SlabLayout(dimensions: vector.dimensions).bytesPerVector : 0
  }

  /// The primary's own check tells of those that are none.
  private static func isVector(_ vector: IndexedVector) -> Bool {
    Vector.supportedDimensions.contains(vector.dimensions) && vector.components.count == 4 * vector.dimensions
  }
}
