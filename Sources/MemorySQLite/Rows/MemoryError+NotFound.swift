import EpisodicMemory

extension MemoryError {
  static func noEpisode(_ id: Episode.ID) -> MemoryError {
    MemoryError(.notFound, "no episode \"\(id)\"; look for its id with episodes(_:in:)")
  }

  static func noPattern(_ id: Pattern.ID) -> MemoryError {
    MemoryError(.notFound, "no pattern \"\(id)\"")
  }
}
