import Episodic

/// What a store does with each row that costs time.
enum Protection: CaseIterable {
  case none, audit, encryption, both

  /// Those of this build, the first of which is `none`.
  static var built: [Protection] {
    #if Encryption
      allCases
    #else
      [.none, .audit]
    #endif
  }

  /// What a report says in a build that cannot measure all; `nil` in one that can.
  static var note: String? {
    built.contains(.encryption)
      ? nil : "encryption was not built; build the benchmarks with --traits Encryption to measure it"
  }

  var name: String {
    switch self {
    case .none: "without"
    case .audit: "audit"
    case .encryption: "encryption"
    case .both: "audit and encryption"
    }
  }

  var isAudited: Bool { [.audit, .both].contains(self) }
  var isEncrypted: Bool { [.encryption, .both].contains(self) }

  /// Opens a new store.
  ///
  /// - Parameter domains: Those that are encrypted.
  func open(at path: String, domains: [String], _ options: Memory.OpenOptions = .init()) async throws -> Memory {
    var options = options
    if isAudited { options.audit = .on(actor: "bench") }
    if isEncrypted { options.key = .key(.random()) }
    let memory = try await Memory.open(at: path, options: options)
    for domain in isEncrypted ? domains : [] { try await memory.encrypt(domain: domain) }
    return memory
  }

  /// The sides in the order in which they take turns: another one is the first in each round.
  static func order(of round: Int, _ count: Int) -> [Int] { (0..<count).map { ($0 + round) % count } }
}
