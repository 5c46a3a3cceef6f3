import CRawSQLite

/// When this process began: as early as the program itself can say.
enum ProcessClock {
  private static let mainBegan = raw_now()

  /// To be called first thing.
  static func start() { _ = mainBegan }

  /// Nanoseconds since then.
  static var elapsed: UInt64 { raw_now() - mainBegan }
}
