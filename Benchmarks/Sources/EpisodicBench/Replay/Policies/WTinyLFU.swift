/// W-TinyLFU with hill climbing (Einziger et al., Middleware 2018), as in Caffeine: an LRU window, a segmented LRU main
/// area that admits a key only if it was requested more often than its victim, and a window whose size climbs towards the
/// better hit rate.
struct WTinyLFU: SimulatedCache {
  static let name = "W-TinyLFU"
  private static let windowShare = 0.01
  private static let protectedShare = 0.8
  /// Requests, in multiples of the capacity, after which the window is resized and the frequencies are halved.
  private static let samplePeriod = 10
  private static let firstStep = 0.0625
  private static let stepDecay = 0.98
  /// A change of the hit rate that resets the climber to its first step.
  private static let restart = 0.05

  private let capacity: Int
  private var windowCapacity: Int
  private var protectedCapacity: Int
  private var window: KeyQueue
  private var probation: KeyQueue
  private var protected: KeyQueue
  private var frequencies: Frequencies

  private var hits = 0
  private var requests = 0
  private var lastRate = 0.0
  private var step: Double

  init(capacity: Int, distinct: Int) {
    self.capacity = capacity
    windowCapacity = max(1, capacity - Int(Double(capacity) * (1 - Self.windowShare)))
    protectedCapacity = Int(Double(capacity - windowCapacity) * Self.protectedShare)
    window = KeyQueue(distinct: distinct)
    probation = window
    protected = window
    frequencies = Frequencies(distinct: distinct, period: Self.samplePeriod * capacity)
    step = -Self.firstStep * Double(capacity)
  }

  mutating func request(_ key: Int) -> Bool {
    frequencies.count(key)
    let isHit = find(key)
    if !isHit {
      window.append(key)
      shrinkWindow()
    }
    requests += 1
    if isHit { hits += 1 }
    if requests >= Self.samplePeriod * capacity { climb() }
    return isHit
  }

  private mutating func find(_ key: Int) -> Bool {
    if window.contains(key) {
      window.touch(key)
    } else if protected.contains(key) {
      protected.touch(key)
    } else if probation.contains(key) {
      probation.remove(key)
      protected.append(key)
      shrinkProtected()
    } else {
      return false
    }
    return true
  }

  /// Compares the candidate from the window with the victim of the main area.
  private mutating func shrinkWindow() {
    while window.count > windowCapacity, let candidate = window.removeOldest() {
      if window.count + probation.count + protected.count < capacity {
        probation.append(candidate)
      } else if let victim = probation.oldest ?? protected.oldest, frequencies[candidate] > frequencies[victim] {
        if probation.contains(victim) { probation.remove(victim) } else { protected.remove(victim) }
        probation.append(candidate)
      }
    }
  }

  private mutating func shrinkProtected() {
    while protected.count > protectedCapacity, let key = protected.removeOldest() { probation.append(key) }
  }

  private mutating func climb() {
    let rate = Double(hits) / Double(requests)
    let change = rate - lastRate
    let amount = change >= 0 ? step : -step
    let isRestart = abs(change) >= Self.restart
    step = isRestart ? Self.firstStep * Double(capacity) * (amount >= 0 ? 1 : -1) : Self.stepDecay * amount
    lastRate = rate
    hits = 0
    requests = 0
    moveWindow(by: Int(amount))
  }

  private mutating func moveWindow(by amount: Int) {
    let amount = min(max(amount, 1 - windowCapacity), protectedCapacity)
    windowCapacity += amount
    protectedCapacity -= amount
    shrinkProtected()
    while window.count < windowCapacity, let key = probation.removeOldest() { window.append(key) }
    shrinkWindow()
  }
}

/// Requests of each key, up to 15, halved periodically; exact instead of a sketch.
private struct Frequencies {
  private static let most: UInt8 = 15
  private let period: Int
  private var counted = 0
  private var counts: [UInt8]

  init(distinct: Int, period: Int) {
    self.period = period
    counts = Array(repeating: 0, count: distinct)
  }

  subscript(key: Int) -> UInt8 { counts[key] }

  mutating func count(_ key: Int) {
    guard counts[key] < Self.most else { return }
    counts[key] += 1
    counted += 1
    guard counted == period else { return }
    for key in counts.indices { counts[key] /= 2 }
    counted /= 2
  }
}
