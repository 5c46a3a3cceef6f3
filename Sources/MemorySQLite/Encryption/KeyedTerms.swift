import EpisodicMemory
import GRDB

/// The terms of a query as an encrypted domain has them.
struct KeyedTerms {
  private let cipher: DomainCipher
  private let db: Database

  /// `nil` if the scope is no domain that is encrypted.
  init?(_ scope: Query.Scope, _ db: Database) throws {
    guard let cipher = try KeySession.cipher(for: scope.onlyDomain, db) else { return nil }
    (self.cipher, self.db) = (cipher, db)
  }

  /// The digests of the stems of a term, mostly one.
  func words(of term: String) throws -> [String] { try KeySession.words(of: term, cipher, db) }

  func column(ofTool tool: String) throws -> String { try cipher.column(ofTool: tool, db) }

  /// - Throws: `.invalid` if terms ask for what digests do not tell: the beginnings of words, and what is beside what.
  func requireWords(_ terms: SearchTerms) throws {
    guard let needsOrder = terms.phrases.first(where: { $0.count > 1 }) ?? terms.prefixes.first.map({ [$0] }) else {
      return
    }
    throw MemoryError(
      .invalid,
      "\"\(needsOrder.joined(separator: " "))\" cannot be looked for in the encrypted domain \"\(cipher.domain)\", which finds whole "
        + "words and neither phrases nor prefixes; ask for its words")
  }

  /// An FTS5 expression that a row with all words of a term matches, in whatever order.
  func expression(_ term: [String]) throws -> String {
    let digests = try term.flatMap { try words(of: $0) }.map { SearchTerms.quoted($0) }
    return digests.isEmpty ? SearchTerms.quoted("") : "(" + digests.joined(separator: " AND ") + ")"
  }
}
