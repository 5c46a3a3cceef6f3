import EpisodicMemory
import FileLocks
import MemoryLMDB

/// The files of the cache or of the index.
struct DerivedFiles {
  /// In the directory of the store.
  let name: String
  let unreadable: FindingCode
  let inspection: TierInspection?
}

extension Examination {
  /// Looks at the files of cache and index without opening them.
  func examineDerivedFiles() -> [DerivedFiles] {
    // A link, or what is no directory, has been reported.
    guard status(of: directory.cache)?.kind == .directory else { return [] }
    let tiers = [
      DerivedFiles(name: "cache.lmdb", unreadable: .cacheUnreadable, inspection: TierInspection(of: directory.cache)),
      DerivedFiles(
        name: "cache.lmdb/index", unreadable: .indexUnreadable, inspection: TierInspection(of: directory.index)),
    ]
    for tier in tiers { examine(tier) }
    return tiers
  }

  private func examine(_ tier: DerivedFiles) {
    guard let inspection = tier.inspection else { return }
    let path = "\(directory.path)/\(tier.name)"
    if let obstacle = inspection.obstacle {
      return found(.derivedUnusable, path, "it cannot be used, so answers are right and slower: \(obstacle)")
    }
    if let damage = inspection.damage {
      found(tier.unreadable, path, "its file cannot be used and is made again when it is opened: \(damage)")
    }
    saw("size of \(tier.name)", inspection.bytes.asBytes)
    if tier.unreadable == .indexUnreadable, inspection.bytes >= Int64(options.limits.indexWarningBytes) {
      found(
        .indexLarge, path,
        "the index has \(inspection.bytes.asBytes), more than limits.indexWarningBytes allows without a warning")
    }
    for reader in inspection.readers where reader.isReading {
      let process = "process \(reader.process)"
      switch ProcessState(of: reader.process) {
      case .running: break
      case .gone:
        found(
          .readerDead, process,
          "it died while it read \(tier.name), which keeps pages of that moment from being used again")
      case .stopped:
        found(
          .readerStopped, "process \(ProcessState.name(of: reader.process))",
          "it is stopped while it reads \(tier.name), which keeps pages from being used again: the file grows")
      }
    }
  }

  /// Compares cache and index with the primary, entry by entry; with a memory that is open for writing.
  func checkDerived(_ memory: Memory) async throws(MemoryError) {
    for check in try await memory.checkDerived() {
      guard case .failed(let reason) = check.outcome else { continue }
      let isOfIndex = check.name.hasPrefix("search index")
      let code: FindingCode = isOfIndex ? .indexWrong : .cacheWrong
      if !codes.contains(code) { found(code, check.name, reason) }
    }
  }
}
