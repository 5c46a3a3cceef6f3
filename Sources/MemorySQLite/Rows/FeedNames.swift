import EpisodicMemory
import GRDB
import SQLiteStorage

/// What the feed names of what is erased: keys of rows, and domains. Digests take their places.
struct FeedNames {
  private let code: ErasureDigests
  private var digests: [String: [String: [UInt8]]] = [:]
  /// Only changes of this domain; `nil` for all.
  var domain: String?
  /// Tells further keys, of what is gone already.
  var namesKey: (_ subject: String, _ key: String, _ domain: String?) -> Bool = { _, _, _ in false }
  /// Tells the domains whose own names are to go.
  var hidesDomain: (String) -> Bool = { _ in false }

  /// Stands before the digest of a domain that was erased, in the place of its name.
  private static let erasedDomain = "erased:"

  init(_ rows: ErasedRows, embeddings: [String], _ code: ErasureDigests) {
    self.code = code
    for id in rows.episodes.values { add(id, of: "episode", as: Erasure.Subject.episode.rawValue, id) }
    for pattern in rows.patterns.values {
      add(pattern.key, of: "pattern", as: Erasure.Subject.pattern.rawValue, pattern.id)
    }
    for id in embeddings { add(id, of: "embedding", as: "embedding", id) }
  }

  mutating func add(episodes: [String]) {
    for id in episodes { add(id, of: "episode", as: Erasure.Subject.episode.rawValue, id) }
  }

  private mutating func add(_ key: String, of subject: String, as kind: String, _ name: String) {
    digests[subject, default: [:]][key] = code.bytes(kind, name)
  }

  /// What stands in the place of the key of a change; `nil` if it stays.
  ///
  /// - Parameter owner: The domain of the change; `nil` if it has none.
  func digest(_ subject: String, _ key: UnsafeRawBufferPointer, of owner: String?) -> [UInt8]? {
    if key.isEmpty || domain != nil && domain != owner { return nil }
    let text = String(decoding: key, as: UTF8.self)
    if let digest = digests[subject]?[text] { return digest }
    let isNamed = owner.map(hidesDomain) ?? false || namesKey(subject, text, owner)
    return isNamed ? code.bytes(subject, text) : nil
  }

  /// What stands in the place of the domain of a change.
  func hidden(_ owner: String?) -> String? {
    guard let owner, domain == nil || domain == owner, !Self.isHidden(owner), hidesDomain(owner) else { return owner }
    return Self.hidden(owner, by: code)
  }

  static func hidden(_ domain: String, by code: ErasureDigests) -> String {
    erasedDomain + code.digest("domain", domain).rawValue
  }

  /// Whether a digest stands in the place of a domain.
  static func isHidden(_ domain: String) -> Bool {
    domain.hasPrefix(erasedDomain) && domain.utf8.count == erasedDomain.utf8.count + 64
  }
}
