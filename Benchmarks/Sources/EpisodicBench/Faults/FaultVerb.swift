import ArgumentParser

/// What is done to a program.
enum FaultKind: String, CaseIterable, Codable, ExpressibleByArgument {
  /// SIGKILL at a call.
  case kill
  /// A call fails.
  case error
  /// All of it stands still after a call, while others use the store; then SIGKILL.
  case stop

  /// The calls at which it happens unless others are asked for.
  var calls: [FaultCall] {
    switch self {
    case .kill: FaultCall.changing
    case .error: FaultCall.allCases
    case .stop: FaultCall.locking
    }
  }
}

/// What a program does when it is struck.
enum FaultVerb: String, CaseIterable, Codable, ExpressibleByArgument {
  /// `episodic record` where there is no store yet.
  case open
  case record, recall, `import`, check, rebuild
  /// Writes, each acknowledged after its commit, and then the close.
  case close
  /// `episodic record` on a store of an earlier schema.
  case migrate

  /// Whether it needs a store that no other run has used.
  var needsNewStore: Bool { self == .open || self == .migrate }

  static func defaults(of kind: FaultKind) -> [FaultVerb] {
    switch kind {
    case .kill: [.open, .record, .close, .migrate, .import, .rebuild]
    case .error: [.record, .recall, .import, .check, .rebuild, .open, .close]
    case .stop: [.record, .recall, .import, .check, .rebuild, .open, .close]
    }
  }
}
