/// What an insertion of episodes did.
public struct InsertionReport: Hashable, Sendable {
  /// Episodes that are new or replaced one.
  public var episodes = 0
  /// Steps and vectors that came with them.
  public var steps = 0
  public var vectors = 0
  /// Vectors of episodes that were replaced: those that stayed, because the text they were made from did, and those that
  /// went, because it changed. One that gave way to a new one of its model is in neither.
  public var keptVectors = 0
  public var droppedVectors = 0

  public init() {}
}
