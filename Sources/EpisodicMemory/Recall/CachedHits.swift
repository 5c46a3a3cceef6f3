package import ByteCoding
import Foundation
import Vectors

/// The hits of a query as the cache keeps them: ids, scores and matches. The episodes have entries of their own.
package struct CachedHits: Hashable, Sendable {
  struct Entry: Hashable, Sendable {
    let id: Episode.ID
    let score: Double
    let shares: Hit.Shares
    let matches: [Hit.Match]
    let copies: Int
  }

  let entries: [Entry]

  package init(_ hits: [Hit]) {
    entries = hits.map {
      Entry(id: $0.episode.id, score: $0.score, shares: $0.shares, matches: $0.matches, copies: $0.copies)
    }
  }
}

extension Hit.Shares {
  /// In the order of `init`.
  fileprivate var all: [Double] { [context, steps, vector, session, time, success, trust] }
}

extension Hit {
  init(_ entry: CachedHits.Entry, _ episode: Episode) {
    self.init(episode: episode, score: entry.score, shares: entry.shares, matches: entry.matches)
    copies = entry.copies
  }
}

extension CachedHits: Cacheable {
  package func encode(to bytes: inout ByteWriter) {
    bytes.write(entries) { bytes, entry in
      bytes.write(entry.id.rawValue)
      bytes.write(entry.score)
      for share in entry.shares.all { bytes.write(share) }
      bytes.write(entry.matches) { bytes, match in
        bytes.write(match.step) { $0.write(Int64($1)) }
        bytes.write(match.excerpt) { $0.write($1) }
      }
      bytes.write(UInt32(clamping: entry.copies))
    }
  }

  package init(from encoded: EncodedValue) throws(MalformedBytes) {
    entries = try encoded.decode { reader throws(MalformedBytes) in
      try reader.array { bytes throws(MalformedBytes) in
        Entry(
          id: Episode.ID(composed: try bytes.text()), score: try bytes.double(),
          shares: Hit.Shares(
            context: try bytes.double(), steps: try bytes.double(), vector: try bytes.double(),
            session: try bytes.double(), time: try bytes.double(), success: try bytes.double(),
            trust: try bytes.double()),
          matches: try bytes.array { bytes throws(MalformedBytes) in
            Hit.Match(
              step: try bytes.optional { bytes throws(MalformedBytes) in
                Int(truncatingIfNeeded: try bytes.integer(Int64.self))
              },
              excerpt: try bytes.optional { bytes throws(MalformedBytes) in try bytes.text() })
          }, copies: Int(try bytes.integer(UInt32.self)))
      }
    }
  }
}

extension Query {
  /// A key over everything that decides the result: terms, vector, space, scope, filter, limit, minimum score, exactness,
  /// excerpts, ranking, trust, sources, and the times that the text names.
  func cacheKey(terms: SearchTerms?, times: NamedTimes) -> CacheKey {
    var bytes = ByteWriter()
    bytes.write(terms) { bytes, terms in
      bytes.write(terms.words) { $0.write($1) }
      bytes.write(terms.phrases) { $0.write($1) { $0.write($1) } }
      bytes.write(terms.prefixes) { $0.write($1) }
    }
    bytes.write(vector) { $0.write($1) { $0.write($1.bitPattern) } }
    bytes.write(space) { bytes, space in
      bytes.write(space.model)
      bytes.write(Int64(space.dimensions))
      bytes.write(space.metric.rawValue)
    }
    switch scope {
    case .everything: bytes.write(false)
    case .domain(let domain):
      bytes.write(true)
      bytes.write(domain.canonicallyComposed)
    }
    bytes.write(filter.session) { $0.write($1) }
    bytes.write(filter.taskType?.rawValue) { $0.write($1) }
    bytes.write(statuses.map(\.rawValue).sorted()) { $0.write($1) }
    bytes.write(filter.after?.milliseconds) { $0.write($1) }
    bytes.write(filter.before?.milliseconds) { $0.write($1) }
    bytes.write(trust) { bytes, trust in
      bytes.write(UInt8(trust.lowerBound.level))
      bytes.write(UInt8(trust.upperBound.level))
    }
    bytes.write(maximumPerSource) { $0.write(Int64($1)) }
    bytes.write(ranking.trustedFirst)
    bytes.write(filter.step) { bytes, step in
      bytes.write(step.tool) { $0.write($1) }
      bytes.write(step.success) { $0.write($1) }
      bytes.write(step.text) { $0.write($1) }
      bytes.write(step.phrase) { $0.write($1) }
    }
    bytes.write(Int64(limit))
    bytes.write(minimumScore) { $0.write($1) }
    bytes.write(isExact)
    bytes.write(excerpts)
    for weight in [
      ranking.stepWeight, ranking.stepsTogetherWeight, ranking.vectorWeight, ranking.neighborWeight,
      ranking.sessionWeight, ranking.timeWeight, ranking.successWeight,
    ] {
      bytes.write(weight)
    }
    bytes.write(Int64(ranking.neighborReach))
    bytes.write(Int64(ranking.stepsPerEpisode))
    bytes.write(Int64(ranking.depth))
    let (windows, day, zone) = times.key
    bytes.write(windows) { bytes, window in
      bytes.write(window.lowerBound.milliseconds)
      bytes.write(window.upperBound.milliseconds)
    }
    bytes.write(day) { $0.write($1) }
    bytes.write(zone) { $0.write($1) }
    // Which of the words tell of the event, the terms do not say.
    bytes.write(zone == nil ? nil : text) { $0.write($1) }
    return CacheKey(.query, SHA256.digest(of: bytes.bytes).hexadecimal)
  }

  /// The tags that the result depends on: the episodes of its scope, active ones only if the statuses include them.
  var tags: [CacheTag] {
    let includingActive = statuses.contains(.active)
    return switch scope {
    case .everything: [.everything(includingActive: includingActive)]
    case .domain(let domain): [.domain(domain.canonicallyComposed, includingActive: includingActive)]
    }
  }
}
