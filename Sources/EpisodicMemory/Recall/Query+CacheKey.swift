import ByteCoding
import Crypto
import Foundation
import Vectors

extension Query {
  /// The statuses that are drawn on where the filter names none.
  static let defaultStatuses: Set<Episode.Status> = [.completed, .failed]

  var statuses: Set<Episode.Status> { filter.statuses ?? Self.defaultStatuses }

  /// A key over everything that decides the answer: terms, vector, space, scope, filter, limit, minimum
  /// score, exactness, excerpts, ranking.
  func cacheKey(terms: SearchTerms?) -> CacheKey {
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
    bytes.write(Int64(limit))
    bytes.write(minimumScore) { $0.write($1) }
    bytes.write(isExact)
    bytes.write(excerpts)
    bytes.write(ranking.stepWeight)
    bytes.write(Int64(ranking.stepsPerEpisode))
    bytes.write(ranking.vectorWeight)
    bytes.write(Int64(ranking.depth))
    return CacheKey(.query, SHA256.hash(data: bytes.bytes).hexadecimal)
  }

  /// What the answer depends on: the episodes of its scope, the active ones only where it draws on them.
  var tags: [CacheTag] {
    let includingActive = statuses.contains(.active)
    return switch scope {
    case .everything: [.everything(includingActive: includingActive)]
    case .domain(let domain): [.domain(domain.canonicallyComposed, includingActive: includingActive)]
    }
  }
}
