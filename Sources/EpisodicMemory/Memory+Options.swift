extension Memory {
  /// What an acknowledged write survives (I2).
  public enum Durability: String, CaseIterable, Sendable {
    /// Loss of power. Each commit waits for the disk; calls that arrive together share the wait.
    case full
    /// Death of the process. A loss of power may undo the last commits, but never part of one.
    case normal
  }
}
