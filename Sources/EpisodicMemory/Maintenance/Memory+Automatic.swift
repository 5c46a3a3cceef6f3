package import Logging

extension Memory {
  /// From now on what is due is done in the background, until `close` or until the last copy of this value is gone.
  package mutating func maintainAutomatically(every interval: Duration, logger: Logger) {
    let memory = self
    automaticMaintenance = AutomaticMaintenance(every: interval, logger: logger) { () throws(MemoryError) in
      try await memory.maintain()
    }
  }
}
