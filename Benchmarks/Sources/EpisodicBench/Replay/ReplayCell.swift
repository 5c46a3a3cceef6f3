/// One trace at one capacity: the engine beside what other policies would have done with the same requests.
struct ReplayCell: Encodable {
  struct Column: Encodable {
    let name: String
    /// Share of the requests.
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
  /// Share of the requests that a cache which never evicts would have answered.
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
    ceiling = share(trace.endlessHits)
    policies = [
      column(FIFO.self), column(LRU.self), column(ARC.self), column(S3FIFO.self), column(SIEVE.self),
      column(WTinyLFU.self),
      Column(name: OPT.name, rate: share(OPT.hits(requests, distinct: distinct, capacity: capacity))),
    ]
  }

  var rate: Double { Double(hits) / Double(requests) }

  /// How far the engine is below the best policy that does not know the future, in points; negative where it is above.
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
