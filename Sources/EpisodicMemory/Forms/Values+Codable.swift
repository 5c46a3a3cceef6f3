// The values of the engine are coded in the very form of import and export, so `JSONEncoder` writes what `json` is, and
// `JSONDecoder` reads a line of an export.

/// In the form of `json`. Identifiers of steps and `embeddingVersion` belong to a store and are not part of it: decoded steps
/// have new ones.
extension Episode: Codable {
  public func encode(to encoder: any Encoder) throws { try json.encode(to: encoder) }

  public init(from decoder: any Decoder) throws {
    self = try decoder.read { scanner throws(MemoryError) in try EpisodeLine(&scanner, isPart: true).decoded() }
  }
}

/// In the form of `json`, without its identifier: a decoded step has a new one.
extension Step: Codable {
  public func encode(to encoder: any Encoder) throws { try json.encode(to: encoder) }

  public init(from decoder: any Decoder) throws {
    self = try decoder.read { scanner throws(MemoryError) in
      let line = try StepLine(&scanner)
      guard let number = line.number.flatMap({ Int(exactly: $0) }) else {
        throw scanner.missing("step_number", "a whole number, counted from 1")
      }
      return line.step(number: number, now: line.timestamp)
    }
  }
}

/// In the form of `json`.
extension Pattern: Codable {
  public func encode(to encoder: any Encoder) throws { try json.encode(to: encoder) }

  public init(from decoder: any Decoder) throws {
    self = try decoder.read { scanner throws(MemoryError) in try PatternLine(&scanner).pattern }
  }
}

/// In the form of `json`.
extension Hit: Codable {
  public func encode(to encoder: any Encoder) throws { try json.encode(to: encoder) }

  public init(from decoder: any Decoder) throws {
    self = try decoder.read { scanner throws(MemoryError) in try HitLine(&scanner).hit }
  }
}

extension EpisodeLine {
  /// The episode, whatever its size: limits are those of a store. It may have been read without some of its steps.
  func decoded() throws(MemoryError) -> Episode {
    var episode = try episode(limits: .unbounded, now: createdAt)
    let (present, all) = (Int64(episode.steps.count), stepCount ?? Int64(episode.steps.count))
    guard (present...Int64(Int32.max)).contains(all) else {
      throw MemoryError(.invalid, "step_count is \(all); it counts all steps, of which \(present) are here")
    }
    episode.omittedSteps = Int(all - present)
    return episode
  }
}

extension Decoder {
  /// Reads a value by the reader of import and export, so that both accept the same.
  fileprivate func read<Value>(_ read: (inout JSONScanner) throws(MemoryError) -> Value) throws -> Value {
    let json = try JSON(from: self)
    do throws(MemoryError) {
      var scanner = try JSONScanner(Array(json.canonicalText.utf8))
      return try read(&scanner)
    } catch {
      throw DecodingError.dataCorrupted(
        .init(codingPath: codingPath, debugDescription: error.message, underlyingError: error))
    }
  }
}
