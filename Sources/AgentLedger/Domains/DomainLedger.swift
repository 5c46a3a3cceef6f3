import StoreValues

extension Ledger {
  /// A handle whose every verb stays in one domain: what a runtime hands to a worker or an agent (I8). Costs nothing; needs no
  /// closing.
  public func domain(_ name: String) -> DomainLedger { DomainLedger(name, of: self) }
}

/// A ledger of which only the tasks, runs and signals of one domain are seen and changed, with all that belongs to them (I8).
///
/// The verbs are those of `Ledger`, without a domain. An id of another domain is one that does not exist: the same `nil` or
/// `.notFound`, in the same words. A verb that changes something by its id first reads whose it is: a task and a run stay in
/// their domain, so that this holds for the change after it.
///
/// Ids are unique in the ledger. Who adds a task or starts a run under an id that another domain uses is told that the id is
/// taken, and nothing more. So name ids that cannot be guessed, or leave them to the ledger. Workers, agents, people and the
/// outbox are of the whole ledger, which the handle does not give.
public struct DomainLedger: Sendable {
  /// The domain, in Unicode normalisation form C.
  public let name: String
  let ledger: Ledger

  init(_ name: String, of ledger: Ledger) {
    self.name = name.canonicallyComposed
    self.ledger = ledger
  }

  /// - Throws: `.invalid` if what is written is of another domain.
  func require(_ domain: String, _ subject: String) throws(MemoryError) {
    guard domain.canonicallyComposed == name else {
      throw MemoryError(
        .invalid,
        "\(subject) is of the domain \"\(domain)\"; this handle writes into \"\(name)\" alone: correct the domain")
    }
  }
}
