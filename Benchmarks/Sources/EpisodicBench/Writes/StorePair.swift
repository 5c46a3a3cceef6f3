import Episodic

/// The library's store and the yardstick's, in one folder and of one durability.
struct StorePair {
  let memory: Memory
  let raw: RawStore
  let durability: Memory.Durability
  let probe: SyncProbe

  var section: String { "durability \(durability.rawValue)" }
}
