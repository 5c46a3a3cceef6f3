public import Vectors

/// The vector of an episode or of one of its steps.
public struct Embedding: Identifiable, Hashable, Sendable {
  public typealias ID = Identifier<Embedding>

  public let id: ID
  /// The episode that it is of, also if it is of a step.
  public let episodeID: Episode.ID
  /// `nil`: of the whole episode.
  public let stepID: Step.ID?
  /// The text that was embedded.
  public let content: String
  /// The numbers, as given.
  public let vector: [Float]
  /// Name of the embedding model.
  public let model: String
  /// When it was stored.
  public let createdAt: Timestamp

  /// An embedding as a store returns it; for doubles in tests.
  public init(
    id: ID, episodeID: Episode.ID, stepID: Step.ID?, content: String, vector: [Float], model: String,
    createdAt: Timestamp
  ) {
    self.id = id
    self.episodeID = episodeID
    self.stepID = stepID
    self.content = content
    self.vector = vector
    self.model = model
    self.createdAt = createdAt
  }

  /// The caller's part of an embedding; the engine adds the rest.
  public struct Draft: Hashable, Sendable {
    /// The episode, which exists.
    public var episodeID: Episode.ID
    /// A step of the episode; `nil`: the vector is of the whole episode.
    public var stepID: Step.ID?
    /// The text that was embedded, so that it can be embedded again by another model.
    public var content: String
    /// 1 to `Memory.Limits.dimensions` finite numbers, not all zero.
    public var vector: [Float]
    /// Name of the embedding model; all its vectors have one length.
    public var model: String

    /// A vector of an episode, or of one of its steps.
    public init(
      of episodeID: Episode.ID, step stepID: Step.ID? = nil, content: String, vector: [Float], model: String
    ) {
      self.episodeID = episodeID
      self.stepID = stepID
      self.content = content
      self.vector = vector
      self.model = model
    }
  }
}

/// Model, number of dimensions and metric: vectors compare only inside one space (I6).
public struct EmbeddingSpace: Hashable, Sendable {
  /// Name of the embedding model.
  public var model: String
  /// How many numbers a vector has.
  public var dimensions: Int
  /// How two vectors are compared.
  public var metric: Metric

  /// A space of vectors that were made by `model`.
  public init(model: String, dimensions: Int, metric: Metric = .cosine) {
    self.model = model.canonicallyComposed
    self.dimensions = dimensions
    self.metric = metric
  }
}

extension EmbeddingSpace {
  /// The space of a query's vector among those of the store; `nil` if the store has no vectors.
  ///
  /// - Throws: `.invalid` if the named space does not exist, or if none is named and several have the query's dimensions;
  ///   `.dimensionMismatch` if the model, or every model, has other dimensions (I6).
  public static func resolve(
    _ named: EmbeddingSpace?, dimensions: Int, among spaces: [EmbeddingSpace]
  ) throws(MemoryError) -> EmbeddingSpace? {
    guard !spaces.isEmpty else { return nil }
    let candidates = spaces.filter { named == nil || $0.model == named?.model }
    let all = candidates.map { "\($0.model) (\($0.dimensions))" }.sorted().joined(separator: ", ")
    guard !candidates.isEmpty else {
      throw MemoryError(
        .invalid, "there are no vectors of the model \"\(named?.model ?? "")\"; name one that was embedded with")
    }
    let fitting = candidates.filter { $0.dimensions == dimensions }
    guard let only = fitting.first else {
      throw MemoryError(.dimensionMismatch, "the query's vector has \(dimensions) numbers; there are those of \(all)")
    }
    guard fitting.count == 1 else {
      throw MemoryError(
        .invalid, "vectors of \(fitting.count) spaces have \(dimensions) numbers: \(all); name the model")
    }
    return EmbeddingSpace(model: only.model, dimensions: only.dimensions, metric: named?.metric ?? .cosine)
  }
}
