import ByteCoding

/// The answer to a query as it is cached: which episodes, in which order, and why; the episodes have entries of their own.
struct Answer: Hashable, Sendable {
  struct Line: Hashable, Sendable {
    let id: Episode.ID
    let score: Double
    let shares: Hit.Shares
    let matches: [Hit.Match]
  }

  let lines: [Line]

  init(_ hits: [Hit]) {
    lines = hits.map { Line(id: $0.episode.id, score: $0.score, shares: $0.shares, matches: $0.matches) }
  }
}

extension Answer: Cacheable {
  func encode(to bytes: inout ByteWriter) {
    bytes.write(lines) { bytes, line in
      bytes.write(line.id.rawValue)
      bytes.write(line.score)
      bytes.write(line.shares.context)
      bytes.write(line.shares.steps)
      bytes.write(line.shares.vector)
      bytes.write(line.matches) { bytes, match in
        bytes.write(match.step) { $0.write(Int64($1)) }
        bytes.write(match.excerpt) { $0.write($1) }
      }
    }
  }

  init(from encoded: EncodedValue) throws(MalformedBytes) {
    lines = try encoded.decode { reader throws(MalformedBytes) in try Self.lines(from: &reader) }
  }

  private static func lines(from bytes: inout ByteReader) throws(MalformedBytes) -> [Line] {
    try bytes.array { bytes throws(MalformedBytes) in
      Line(
        id: Episode.ID(composed: try bytes.text()), score: try bytes.double(),
        shares: Hit.Shares(context: try bytes.double(), steps: try bytes.double(), vector: try bytes.double()),
        matches: try bytes.array { bytes throws(MalformedBytes) in
          Hit.Match(
            step: try bytes.optional { bytes throws(MalformedBytes) in
              Int(truncatingIfNeeded: try bytes.integer(Int64.self))
            },
            excerpt: try bytes.optional { bytes throws(MalformedBytes) in try bytes.text() })
        })
    }
  }
}
