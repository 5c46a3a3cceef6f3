import Testing

extension Simulator {
  /// Who runs, over which store, and what may befall them.
  struct Scenario {
    let name: String
    let actors: [Actor]
    /// Times that a process may be killed, any process between any two steps.
    var kills: UInt8 = 1
    /// Whether the cache begins with all entries and every process has seen it, or empty and unseen.
    var isWarm = true
    /// The most changes in a batch.
    var batchLimit: UInt8 = .max
    /// Whether the cache has no room for tags, and remembers changes by the floor alone.
    var forgetsTags = false
    /// Whether everything is closed once, whereupon a backup may be restored, and the shell may commit.
    var isReopened = false
    /// Times that a read catches up before it gives up on the cache, as `FreshnessGate.maximumTries`.
    var maximumTries: UInt8 = 2

    init(_ name: String, _ actors: [Actor]) {
      self.name = name
      self.actors = actors
    }
  }
}

extension Simulator.Scenario: CustomTestStringConvertible {
  var testDescription: String {
    name + (isWarm ? "" : ", cold") + (forgetsTags ? ", no room for tags" : "")
      + (batchLimit == .max ? "" : ", small batches")
  }
}
