@testable import WordIndex

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Scores every document by the definition of bm25.
struct WordOracle {
  var documents: [WordDocument: SampleDocument] = [:]

  func answer(_ query: WordQuery) -> [GroupScore] {
    var parents: [UInt64: Double] = [:]
    var children: [UInt64: [GroupScore.Child]] = [:]
    for field in WordField.allCases {
      for (name, score) in scores(query, field) {
        if field == .parent {
          parents[name.group] = score
        } else {
          children[name.group, default: []].append(GroupScore.Child(member: name.member, score: score))
        }
      }
    }
    return Set(parents.keys).union(children.keys).map { group in
      GroupScore(group: group, parent: parents[group] ?? 0, children: children[group] ?? [], query)
    }.sorted {
      ($1.score, WordCorpus.rank($0.group), $0.group) < ($0.score, WordCorpus.rank($1.group), $1.group)
    }
  }

  private func scores(_ query: WordQuery, _ field: WordField) -> [(WordDocument, Double)] {
    let corpus = documents.values.filter { document in
      document.name.field == field && query.corpus.contains { $0.groups.contains(document.name.group) }
    }
    let count = Double(corpus.count)
    let average = Double(corpus.reduce(0) { $0 + $1.words.count }) / max(1, count)
    let words = query.words.map { Sought.phrase([$0]) }
    let required = query.phrases.map { Sought.phrase($0) } + query.prefixes.map { Sought.prefix($0) }
    let scored = words + required
    var frequencies: [Sought: [WordDocument: Int]] = [:]
    var sums: [WordDocument: Double] = [:]
    for sought in scored {
      let found =
        frequencies[sought]
        ?? Dictionary(
          corpus.map { ($0.name, $0.occurrences(of: sought)) }.filter { $0.1 > 0 }, uniquingKeysWith: { $1 })
      frequencies[sought] = found
      let idf = log(1 + (count + 10 - Double(found.count) + 0.5) / (Double(found.count) + 0.5))
      for (name, frequency) in found {
        let (f, length) = (Double(frequency), Double(documents[name]?.words.count ?? 0))
        sums[name, default: 0] += idf * ((f * (1.2 + 1)) / (f + 1.2 * (1 - 0.75 + 0.75 * length / average)))
      }
    }
    return sums.filter { name, _ in
      required.allSatisfy { frequencies[$0]?[name] != nil }
    }.map { ($0.key, $0.value) }
  }
}

/// What a query counts in a document.
private enum Sought: Hashable {
  case phrase([[UInt8]])
  case prefix([UInt8])
}

extension SampleDocument {
  fileprivate func occurrences(of sought: Sought) -> Int {
    switch sought {
    case .phrase(let phrase): occurrences(of: phrase)
    case .prefix(let prefix): words.count { Array($0.word.utf8).starts(with: prefix) }
    }
  }

  private func occurrences(of phrase: [[UInt8]]) -> Int {
    words.indices.count { start in
      phrase.indices.allSatisfy { offset in
        start + offset < words.count && words[start + offset].position == words[start].position + UInt32(offset)
          && Array(words[start + offset].word.utf8) == phrase[offset]
      }
    }
  }
}
