public import StoreValues

extension Ledger {
  /// Somebody whom agents work for.
  public struct Person: Hashable, Sendable, Codable, Identifiable {
    public typealias ID = Identifier<Person>

    public let id: ID
  }
}
