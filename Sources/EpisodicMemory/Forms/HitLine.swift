/// A hit as one JSON object: `id` and `score`, the `shares` of the signals, the `matches`, the `episode`, and its `neighbors`.
struct HitLine {
  let hit: Hit

  /// Reads the hit at the scanner's position.
  ///
  /// - Throws: `.invalid`, naming field, value and remedy.
  init(_ scanner: inout JSONScanner) throws(MemoryError) {
    var score: Double?
    var shares = Hit.Shares()
    var matches: [Hit.Match] = []
    var episode: Episode?
    var neighbors = Hit.Neighbors()
    var copies: Int64 = 0
    try scanner.object("one hit as one JSON object") { scanner, name throws(MemoryError) in
      switch name {
      case "id": _ = try scanner.text("a string of 1 to 128 bytes")
      case "score": score = try scanner.double("a number")
      case "shares":
        try scanner.object("an object of numbers") { scanner, name throws(MemoryError) in
          switch name {
          case "context": shares.context = try scanner.double("a number")
          case "steps": shares.steps = try scanner.double("a number")
          case "vector": shares.vector = try scanner.double("a number")
          case "session": shares.session = try scanner.double("a number")
          case "time": shares.time = try scanner.double("a number")
          case "success": shares.success = try scanner.double("a number")
          case "trust": shares.trust = try scanner.double("a number")
          default:
            throw scanner.fault(
              "is no signal; the signals are context, steps, vector, session, time, success and trust")
          }
        }
      case "matches":
        try scanner.array("an array of objects") { scanner, _ throws(MemoryError) in
          var step: Int?, excerpt: String?
          try scanner.object("an object with step and excerpt") { scanner, name throws(MemoryError) in
            switch name {
            case "step":
              guard try !scanner.null() else { return }
              step = Int(exactly: try scanner.integer("a step's number, or null"))
            case "excerpt": excerpt = try scanner.null() ? nil : try scanner.text("a string, or null")
            default: throw scanner.fault("is no member of a match")
            }
          }
          matches.append(Hit.Match(step: step, excerpt: excerpt))
        }
      case "episode": episode = try EpisodeLine(&scanner, isPart: true).decoded()
      case "neighbors":
        try scanner.object("an object with before and after") { scanner, name throws(MemoryError) in
          switch name {
          case "before": neighbors.before = try Self.episodes(&scanner)
          case "after": neighbors.after = try Self.episodes(&scanner)
          default: throw scanner.fault("is no side; the sides are before and after")
          }
        }
      case "copies": copies = try scanner.integer("a number of episodes")
      // An estimate of `FittedHits`.
      case "tokens": _ = try scanner.integer("a number of tokens")
      default: throw scanner.fault("is no member of a hit")
      }
    }
    guard let score else { throw scanner.missing("score", "a number") }
    guard let episode else { throw scanner.missing("episode", "an episode as one JSON object") }
    var hit = Hit(episode: episode, score: score, shares: shares, matches: matches)
    hit.neighbors = neighbors
    hit.copies = Int(clamping: copies)
    self.hit = hit
  }

  private static func episodes(_ scanner: inout JSONScanner) throws(MemoryError) -> [Episode] {
    var episodes: [Episode] = []
    try scanner.array("an array of episodes") { scanner, _ throws(MemoryError) in
      episodes.append(try EpisodeLine(&scanner, isPart: true).decoded())
    }
    return episodes
  }
}

extension Hit {
  /// The hit as one JSON object, with its episode in full; members that are `nil` are left out, and neighbours if there are none.
  public var json: JSON { .object(members) }

  fileprivate var members: JSON.Object {
    var members = JSON.Object()
    members["id"] = .string(episode.id.rawValue)
    members["score"] = JSON(score)
    members["shares"] = shares.json
    members["matches"] = .array(matches.map(\.json))
    members["episode"] = episode.json
    if copies > 0 { members["copies"] = .integer(Int64(copies)) }
    if !neighbors.isEmpty { members["neighbors"] = neighbors.json }
    return members
  }
}

extension Hit.Neighbors {
  /// The episodes `before` and `after`, each in the form of an export.
  public var json: JSON { ["before": .array(before.map(\.json)), "after": .array(after.map(\.json))] }
}

extension FittedHits.Element {
  /// The hit with the estimate of its `tokens`.
  public var json: JSON {
    var members = hit.members
    members["tokens"] = .integer(Int64(tokens))
    return .object(members)
  }
}

extension FittedHits.Omitted {
  /// `hits`, `steps` and `tokens`.
  public var json: JSON {
    ["hits": .integer(Int64(hits)), "steps": .integer(Int64(steps)), "tokens": .integer(Int64(tokens))]
  }
}

extension Hit.Shares {
  /// What each signal adds to the score; `trust` only if it takes something off.
  public var json: JSON {
    var members: JSON.Object = [
      "context": JSON(context), "steps": JSON(steps), "vector": JSON(vector), "session": JSON(session),
      "time": JSON(time), "success": JSON(success),
    ]
    if trust != 0 { members["trust"] = JSON(trust) }
    return .object(members)
  }
}

extension Hit.Match {
  /// `{}` for a context without an excerpt.
  public var json: JSON {
    var members = JSON.Object()
    members["step"] = step.map { .integer(Int64($0)) }
    members["excerpt"] = excerpt.map(JSON.string)
    return .object(members)
  }
}
