public import StoreValues

extension Ledger {
  /// What samples are of: a name with labels.
  public struct Series: Hashable, Sendable, Codable {
    /// What is measured.
    public let name: Sample.Name
    /// Of what: `["model": "m"]`.
    public let labels: [String: String]

    /// The samples of a name with exactly these labels.
    public init(_ name: Sample.Name, labels: [String: String] = [:]) { (self.name, self.labels) = (name, labels) }
  }

  /// A number that was measured.
  public struct Sample: Hashable, Sendable, Codable {
    /// What it is of.
    public let series: Series
    /// Finite; the unit is that of its name.
    public let value: Double
    /// When it was measured.
    public let at: Timestamp
  }
}

extension Ledger.Sample {
  /// What is measured. An open set.
  public struct Name: OpenName {
    /// The name as it is stored.
    public let rawValue: String
    /// A name of the application's own.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// How long something took, in milliseconds.
    public static let processingTime = Name(rawValue: "processing_time")
    /// A share of what succeeded, 0...1.
    public static let successRate = Name(rawValue: "success_rate")
    /// Bytes.
    public static let memory = Name(rawValue: "memory")
    /// A share of a processor, 0...1.
    public static let cpu = Name(rawValue: "cpu")
    /// People who were active.
    public static let activePeople = Name(rawValue: "active_people")
    /// A share of what was found in a cache, 0...1.
    public static let cacheHitRate = Name(rawValue: "cache_hit_rate")
    /// How long a delivery took, in milliseconds.
    public static let deliveryLatency = Name(rawValue: "delivery_latency")
  }

  /// A sample to be recorded.
  public struct Draft: Hashable, Sendable {
    /// What it is of.
    public var series: Ledger.Series
    /// Finite.
    public var value: Double
    /// When it was measured; `nil` for now.
    public var at: Timestamp?

    /// A value of a name with labels.
    public init(_ value: Double, of name: Name, labels: [String: String] = [:], at: Timestamp? = nil) {
      (self.value, self.at) = (value, at)
      series = Ledger.Series(name, labels: labels)
    }
  }

  /// A span of time, without its end.
  public struct Window: Hashable, Sendable {
    enum Bounds: Hashable {
      case last(Duration)
      case times(Timestamp, Timestamp)
    }

    let bounds: Bounds

    /// So long until now, and now itself.
    public static func last(_ duration: Duration) -> Window { Window(bounds: .last(duration)) }
    /// From a time until before another.
    public static func from(_ start: Timestamp, to end: Timestamp) -> Window { Window(bounds: .times(start, end)) }
  }

  /// What samples amount to.
  public struct Summary: Hashable, Sendable, Codable {
    /// The beginning of the span of time.
    public let start: Timestamp
    /// Its end, which is not in it.
    public let end: Timestamp
    /// How many samples.
    public let count: Int
    /// Of their values; 0 without any.
    public let sum: Double
    /// The smallest value; `nil` without samples.
    public let minimum: Double?
    /// The largest value; `nil` without samples.
    public let maximum: Double?
    /// Those that were asked for, in that order; none without samples.
    public let percentiles: [Percentile]

    /// Of their values; `nil` without samples.
    public var mean: Double? { count == 0 ? nil : sum / Double(count) }
    /// The sum of the values by the second: the rate of what a counter counts.
    public var rate: Double { sum / seconds }
    /// Samples by the second.
    public var frequency: Double { Double(count) / seconds }

    private var seconds: Double { Double(end.milliseconds - start.milliseconds) / 1000 }
  }

  /// The smallest value that a share of the samples does not exceed ("nearest rank").
  public struct Percentile: Hashable, Sendable, Codable {
    /// 0...1.
    public let share: Double
    /// A value that was measured.
    public let value: Double
  }
}
