import LMDB
import WordScoring

/// A query whose terms were looked up in one transaction: their statistics, and what a search of them needs.
///
/// It points into the map: use it only with the transaction that made it. A class, so that repeated questions of one query
/// share what was read.
package final class PreparedQuery {
  /// What the corpus has of the query.
  package struct Field: Sendable {
    package let documents: Int
    package let tokens: UInt64
    /// How many documents have each word, then each phrase, then each prefix.
    package let having: [Int]
  }

  /// The words that count only.
  package let query: WordQuery
  /// Their places in the words that were asked for.
  package let counting: [Int]
  /// How many documents have each of the words that were asked for.
  package let asked: [Int]
  package let parents: Field
  package let children: Field

  let terms: QueryTerms
  let corpora: [Corpus]
  /// By field, then by number of the term.
  let postings: [[TermPostings]]
  /// By field; `nil` if the query requires nothing.
  let required: [RequiredMatches]?

  /// - Parameter choose: Which words count, ascending, by how many documents have each.
  init(
    _ query: WordQuery, choose: (_ having: [Int]) -> [Int], _ snapshot: Snapshot
  ) throws(LMDBError) {
    let manifest = try snapshot.manifest()
    var corpora: [Corpus] = []
    for field in WordField.allCases { corpora.append(try Corpus(field, query.corpus, manifest, snapshot)) }
    let asked = QueryTerms(query.words)
    var found: [[TermPostings]] = []
    for corpus in corpora {
      var postings: [TermPostings] = []
      for term in asked.terms { postings.append(try corpus.find(term, snapshot)) }
      found.append(postings)
    }
    let having = asked.order.map { term in found.reduce(0) { $0 + $1[term].having } }
    let counting = choose(having)
    self.counting = counting
    self.asked = having
    var own = query
    own.words = counting.map { query.words[$0] }
    let terms = QueryTerms(own.words)
    let postings = found.map { postings in
      var chosen = [TermPostings](repeating: TermPostings(), count: terms.terms.count)
      for (place, word) in counting.enumerated() { chosen[terms.order[place]] = postings[asked.order[word]] }
      return chosen
    }
    var required: [RequiredMatches]?
    if query.requires {
      let requirements = try Requirements(query)
      var matches: [RequiredMatches] = []
      for (corpus, postings) in zip(corpora, postings) {
        matches.append(try RequiredMatches(requirements, terms, corpus, postings, snapshot))
      }
      required = matches
    }
    let fields = corpora.indices.map { index in
      Field(
        documents: corpora[index].documents, tokens: corpora[index].tokens,
        having: terms.order.map { postings[index][$0].having } + (required?[index].having ?? []))
    }
    self.query = own
    self.terms = terms
    self.corpora = corpora
    self.required = required
    self.postings = postings
    parents = fields[0]
    children = fields[1]
  }
}
