import Foundation

/// One trace at one capacity: the engine beside simulated policies on the same requests.
struct ReplayCell: Encodable {
  struct Column: Encodable {
    let name: String
    /// As a share of the requests.
    let rate: Double

    enum CodingKeys: String, CodingKey {
      case name
      case rate = "hit_rate"
    }
  }

  let trace: String
  let capacity: Int
  let requests: Int
  let distinct: Int
  let hits: Int
  /// The hit rate of a cache that never evicts.
  let ceiling: Double
  let policies: [Column]

  init(_ trace: Trace, capacity: Int, hits: Int) {
    let requests = trace.requests
    let distinct = trace.keys.count
    func share(_ hits: Int) -> Double { Double(hits) / Double(requests.count) }
    func column(_ policy: (some SimulatedCache).Type) -> Column {
      Column(name: policy.name, rate: share(policy.hits(requests, distinct: distinct, capacity: capacity)))
    }
    self.trace = trace.name
    self.capacity = capacity
    self.requests = requests.count
    self.distinct = distinct
    self.hits = hits
    ceiling = share(trace.unboundedHits)
    policies = [
      column(FIFO.self), column(LRU.self), column(ARC.self), column(S3FIFO.self), column(SIEVE.self),
      column(WTinyLFU.self),
      Column(name: OPT.name, rate: share(OPT.hits(requests, distinct: distinct, capacity: capacity))),
    ]
  }

  var rate: Double { Double(hits) / Double(requests) }

  /// Percentage points of the engine below the best policy except OPT; negative if it is above.
  var pointsBelowBest: Double {
    100 * ((policies.filter { $0.name != OPT.name }.map(\.rate).max() ?? 0) - rate)
  }

  enum CodingKeys: String, CodingKey {
    case trace, capacity, requests, distinct, hits, ceiling, policies
    case rate = "hit_rate"
    case pointsBelowBest = "points_below_best"
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(trace, forKey: .trace)
    try container.encode(capacity, forKey: .capacity)
    try container.encode(requests, forKey: .requests)
    try container.encode(distinct, forKey: .distinct)
    try container.encode(hits, forKey: .hits)
    try container.encode(rate, forKey: .rate)
    try container.encode(ceiling, forKey: .ceiling)
    try container.encode(policies, forKey: .policies)
    try container.encode(pointsBelowBest, forKey: .pointsBelowBest)
  }
}

/// A sequence of requests.
struct Trace {
  /// The name of its file, without the extension.
  let name: String
  /// The keys, each once, in the order in which they first occur.
  let keys: [String]
  /// For each request, the index of its key in `keys`.
  let requests: [Int]

  /// Reads a file with one key per line; empty lines are skipped.
  init(path: String) throws {
    let file = URL(filePath: path)
    let text: String
    do {
      text = try String(contentsOf: file, encoding: .utf8)
    } catch {
      throw BenchError("\(path) cannot be read as UTF-8: \((error as NSError).localizedDescription)")
    }
    var places: [Substring: Int] = [:]
    var keys: [String] = []
    requests = text.split(whereSeparator: \.isNewline).map { line in
      if let place = places[line] { return place }
      places[line] = keys.count
      keys.append(String(line))
      return keys.count - 1
    }
    self.keys = keys
    name = file.deletingPathExtension().lastPathComponent
    guard !keys.isEmpty else { throw BenchError("\(path) has no line; a trace is a key per line") }
  }

  /// Hits of a cache that never evicts: all requests but the first of each key.
  var unboundedHits: Int { requests.count - keys.count }
}
