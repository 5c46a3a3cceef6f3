public import StoreValues

extension Ledger {
  /// Somebody whom agents work for.
  public struct Person: Hashable, Sendable, Codable, Identifiable {
    /// Identifies a person.
    public typealias ID = Identifier<Person>

    /// A UUID of version 7 unless the caller gave another.
    public let id: ID
  }
}
