/// Figures of the episodes that began in a time: how many, how well they ended, how long their steps took, why they failed.
///
/// Counts and quantiles are exact: every episode and every step of the time is counted. In JSON names are in snake case, times
/// ISO 8601, durations milliseconds; members that are `nil` are left out.
public struct Analytics: Hashable, Sendable, Codable {
  /// What episodes are grouped by.
  public enum Dimension: String, CaseIterable, Sendable, Codable {
    /// The domain of the episode.
    case domain
    /// The type of its task.
    case task
    /// The day on which it began, in the time zone that was asked for.
    case day
    /// The tools of its steps: an episode counts for each of them.
    case tool
  }

  /// The length of a point of `series`.
  public enum Interval: String, CaseIterable, Sendable, Codable {
    /// Of the calendar in the time zone that was asked for; a week begins on Monday.
    case hour, day, week, month, year
  }

  /// Where the time begins; of a question without a beginning, when the first episode began.
  public let since: Timestamp
  /// Where it ends; this moment is not part of it.
  public let until: Timestamp
  /// The time zone in which days begin, such as `Europe/Berlin`.
  public let timeZone: String
  /// The only domain that was looked at; `nil` for all.
  public let domain: String?
  /// Figures of all episodes.
  public let total: Figures
  /// What `groups` are by; `nil` for no groups.
  public let dimension: Dimension?
  /// Figures by dimension: days in order; others by their number of episodes, 20 at most and one for the rest.
  public let groups: [Group]
  /// The length of a point of `series`, so that there are at most some 200 of them.
  public let interval: Interval
  /// Figures over time, without gaps.
  public let series: [Point]
  /// Figures by the tool of the steps, most episodes first: 20 at most and one for the rest.
  public let tools: [Group]
  /// Why episodes failed, most frequent first: 20 kinds at most and one for the rest.
  public let failures: [Failure]
  /// Patterns that were used in the time, or belong to one of its episodes; most used first, 20 at most.
  public let patterns: [PatternUse]
  /// Patterns beyond those of `patterns`.
  public let otherPatterns: Int
  /// Episodes that began in each hour of the week: 7 days from Monday, 24 hours each.
  public let hours: [[Int]]
  /// What the cache answered, by the hour, oldest first; of all domains, and so empty for one (I8).
  public let cache: [CacheHour]

  enum CodingKeys: String, CodingKey {
    case since, until, timeZone = "time_zone", domain, total, dimension, groups, interval, series, tools, failures
    case patterns, otherPatterns = "other_patterns", hours, cache
  }

  /// What is counted by itself in a list before the rest becomes one row.
  package static let mostRows = 20
  /// The name of the row for the rest.
  package static let nameOfRest = "other"
}

extension Analytics {
  /// The figures of one group.
  public struct Group: Hashable, Sendable, Codable {
    /// The domain, task type, tool, or day as `2026-01-31`; `other` for the rest.
    public let name: String
    /// How many groups the row stands for: more than 1 for the rest.
    public let merged: Int
    /// Its figures.
    public let figures: Figures
  }

  /// The figures of one interval of time.
  public struct Point: Hashable, Sendable, Codable {
    /// Where the interval begins, which may be before the time that was asked for.
    public let start: Timestamp
    /// Its figures.
    public let figures: Figures
  }

  /// Failed episodes whose first failed step was of one tool and said the same.
  public struct Failure: Hashable, Sendable, Codable {
    /// The tool of the first failed step; `nil` if the step names none, or there is no such step.
    public let tool: String?
    /// The beginning of the step's result, numbers replaced by `#` and paths by `<path>`, at most 120 characters; empty if it has
    /// none. `nil` if the episode has no failed step, and for the rest.
    public let message: String?
    /// How many kinds the row stands for: more than 1 for the rest.
    public let merged: Int
    /// How many episodes failed so.
    public let episodes: Int
    /// The newest of them.
    public let newest: Episode.ID
    /// When that began.
    public let newestAt: Timestamp

    enum CodingKeys: String, CodingKey {
      case tool, message, merged, episodes, newest, newestAt = "newest_at"
    }
  }

  /// A pattern and how much it was used.
  public struct PatternUse: Hashable, Sendable, Codable {
    /// The pattern, with how often it was used since it was recorded.
    public let pattern: Pattern
    /// Episodes of the time that it belongs to.
    public let episodes: Int

    /// A pattern with its count; for stores.
    package init(pattern: Pattern, episodes: Int) {
      (self.pattern, self.episodes) = (pattern, episodes)
    }
  }

  /// What the cache answered in one hour.
  public struct CacheHour: Hashable, Sendable, Codable {
    /// When the hour began.
    public let start: Timestamp
    /// The kind of entry: `episode`, `pattern` or `query`.
    public let kind: String
    /// Reads that the cache answered, in all processes.
    public let hits: Int
    /// Reads that it could not answer.
    public let misses: Int

    /// Counts of one hour; for stores.
    package init(start: Timestamp, kind: String, hits: Int, misses: Int) {
      (self.start, self.kind, self.hits, self.misses) = (start, kind, hits, misses)
    }
  }
}
