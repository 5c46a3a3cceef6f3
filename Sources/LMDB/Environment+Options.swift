extension Environment {
  /// How to open an environment. The first opener in a process decides for later ones.
  package struct Options: Hashable, Sendable {
    /// Bytes of address space, rounded up to a system page: the size the data file can never pass. It is reserved, not
    /// used, so take it large; it must be the same in every process.
    package var mapSize: Int

    /// Concurrent read transactions over all processes. Only the first process to open the files decides it.
    package var maxReaders = 512

    /// Named databases that can be open at a time.
    package var maxDatabases = 16

    package var durability = Durability.full

    /// Whether the kernel reads ahead. Off is faster if the file is larger than memory or read in spots.
    package var readsAhead = true

    /// Whether to read every page but those of large values before LMDB maps the file, and to refuse a file in which
    /// LMDB could crash, loop or give out a page twice. Reads at some GB/s from memory.
    ///
    /// Only while no other process has the environment open: the verdict on a file that changes meanwhile means nothing.
    /// One that is open in this process is not examined again. Values are not examined; LMDB keeps no checksum of them.
    /// `removeDamagedFiles` does not look so far: remove what this refuses with `removeFiles`.
    package var verifiesStructure = false

    /// How long opening waits for others, of this process too, that open, examine or remove the files.
    package var patience = Duration.seconds(1)

    /// Permission bits for files this call creates.
    package var fileMode: UInt32 = 0o600

    package init(mapSize: Int) {
      self.mapSize = mapSize
    }
  }

  /// What a power loss can take away. Death of the process takes nothing at any level.
  package enum Durability: Hashable, Sendable {
    /// Two syncs a commit; nothing is lost.
    case full
    /// One sync a commit; the last commit can be lost, the rest stays whole.
    case noMetaSync
    /// No sync: after a power loss the files may be damaged without a sign of it. Only for what can be recomputed.
    case noSync
  }
}
