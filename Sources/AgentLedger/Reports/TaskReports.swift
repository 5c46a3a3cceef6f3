public import StoreValues

extension Ledger {
  /// What became of the tasks of a category.
  public struct CategoryReport: Hashable, Sendable, Codable {
    /// `nil`: those without a category.
    public let category: Task.Category?
    /// Those that were done.
    public let completed: Int
    /// Those that failed for good.
    public let failed: Int
    /// Those that were cancelled.
    public let cancelled: Int
    /// 0...1, of those whose complexity is known; `nil` if none is.
    public let meanComplexity: Double?
    /// From the first claim to the end of those that were completed or failed; `nil` if there is none.
    public let meanMilliseconds: Double?

    /// All that ended.
    public var count: Int { completed + failed + cancelled }
    /// The share of the completed ones among those that were completed or failed; `nil` if there is none.
    public var successRate: Double? { share(of: completed, failed) }

    enum CodingKeys: String, CodingKey {
      case category, completed, failed, cancelled
      case meanComplexity = "mean_complexity"
      case meanMilliseconds = "mean_ms"
    }
  }

  /// What tasks did on a day of a time zone.
  public struct TaskDay: Hashable, Sendable, Codable {
    /// Its beginning.
    public let day: Timestamp
    /// Tasks that were added on that day.
    public let added: Int
    /// Tasks that were completed on that day.
    public let completed: Int
    /// Tasks that failed for good on that day.
    public let failed: Int
    /// Tasks that were cancelled on that day.
    public let cancelled: Int
    /// From the first claim to the end of those that were completed or failed; `nil` if there is none.
    public let meanMilliseconds: Double?

    /// The share of the completed ones among those that were completed or failed; `nil` if there is none.
    public var successRate: Double? { share(of: completed, failed) }

    enum CodingKeys: String, CodingKey {
      case day, added, completed, failed, cancelled
      case meanMilliseconds = "mean_ms"
    }
  }

  /// The tasks of a priority that have not ended.
  public struct QueueDepth: Hashable, Sendable, Codable {
    /// The priority.
    public let priority: Task.Priority
    /// Those that can be claimed now.
    public let ready: Int
    /// Those that wait for their time.
    public let delayed: Int
    /// Those that a worker has.
    public let inProgress: Int
    /// When the oldest one that can be claimed was added; `nil` if there is none.
    public let oldestAt: Timestamp?
    /// How long ago that was, in milliseconds; 0 if it was later than now.
    public let oldestMilliseconds: Int64?

    enum CodingKeys: String, CodingKey {
      case priority, ready, delayed
      case inProgress = "in_progress"
      case oldestAt = "oldest_at"
      case oldestMilliseconds = "oldest_ms"
    }
  }
}

private func share(of completed: Int, _ failed: Int) -> Double? {
  let sum = Double(completed) + Double(failed)
  return sum > 0 ? Double(completed) / sum : nil
}
