/// A hit as one JSON object: `id` and `score`, the `shares` of the signals, the `matches`, and the `episode`.
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
          default:
            throw scanner.fault("is no signal; the signals are context, steps, vector, session, time and success")
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
      default: throw scanner.fault("is no member of a hit")
      }
    }
    guard let score else { throw scanner.missing("score", "a number") }
    guard let episode else { throw scanner.missing("episode", "an episode as one JSON object") }
    hit = Hit(episode: episode, score: score, shares: shares, matches: matches)
  }
}

extension Hit {
  /// The hit as one JSON object, with its episode in full; members that are `nil` are left out.
  public var json: JSON {
    [
      "id": .string(episode.id.rawValue), "score": JSON(score), "shares": shares.json,
      "matches": .array(matches.map(\.json)), "episode": episode.json,
    ]
  }
}

extension Hit.Shares {
  /// What each signal adds to the score.
  public var json: JSON {
    [
      "context": JSON(context), "steps": JSON(steps), "vector": JSON(vector), "session": JSON(session),
      "time": JSON(time), "success": JSON(success),
    ]
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
