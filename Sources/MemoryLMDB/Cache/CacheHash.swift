import ByteCoding
import EpisodicMemory

// Names as they stand in LMDB: 64 bits, seeded so that an episode and a pattern of one name are two. Hashes can
// collide. An entry carries its full key, so a collision is a miss; tags that collide go stale together.

extension CacheKey {
  var hash: UInt64 {
    let hash = Checksum.of(name, seed: UInt64(kind.rawValue))
    // 0 is the floor's place in the table of tags.
    return hash == TagTable.floor ? 1 : hash
  }
}

extension CacheTag {
  var hash: UInt64 {
    let hash =
      switch self {
      // A tag that is a key of its own: its change drops the entry of that key.
      case .episode(let id): CacheKey(.episode, id).hash
      case .pattern(let name): CacheKey(.pattern, name).hash
      case .domain(let domain, includingActive: false): Checksum.of(domain, seed: 0x13)
      case .domain(let domain, includingActive: true): Checksum.of(domain, seed: 0x14)
      case .everything(includingActive: false): Checksum.of(0, seed: 0x15)
      case .everything(includingActive: true): Checksum.of(0, seed: 0x16)
      }
    return hash == TagTable.floor ? 1 : hash
  }
}
