import EpisodicMemory
import Vectors

/// What is to happen to the vectors of the index in one transaction: departures first, then arrivals.
struct VectorChanges {
  /// Rows of vectors that are gone, or will come anew among the arrivals.
  var departures: Set<Int64> = []
  /// Statuses of episodes by rows of their vectors.
  var statuses: [Int64: UInt8] = [:]
  private(set) var arrivals: [Space: SlabBuffer] = [:]
  private var encoders: [Int: CodeEncoder] = [:]

  struct Space: Hashable {
    let model: String
    let dimensions: Int
  }

  var isEmpty: Bool { departures.isEmpty && statuses.isEmpty && arrivals.isEmpty }

  mutating func arrive(_ vector: IndexedVector, _ attributes: NamedAttributes, epoch: UInt64) {
    let dimensions = vector.dimensions
    // The primary's own check tells of those that are no vectors.
    guard Vector.supportedDimensions.contains(dimensions), vector.components.count == 4 * dimensions else { return }
    let encoder = encoders[dimensions] ?? CodeEncoder(dimensions: dimensions)
    encoders[dimensions] = encoder
    arrivals[
      Space(model: vector.model, dimensions: dimensions),
      default: SlabBuffer(SlabLayout(dimensions: dimensions))
    ].append(
      vector: vector.row, episode: vector.episode, attributes, components: vector.components, encoder, epoch: epoch)
  }
}
