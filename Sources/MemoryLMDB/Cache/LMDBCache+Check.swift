import ByteCoding
package import EpisodicMemory
import LMDB

extension LMDBCache {
  /// Entries looked at in one snapshot: a read transaction must not live across a suspension, nor long.
  private static let chunk = 64
  private static let catchUpTries = 8

  /// Verifies the tables, every entry's checksum, and that what would be served is what the primary has.
  ///
  /// Others may write meanwhile: a difference counts only if the entry is still there and current once the cache knows
  /// of every change up to a second reading of the primary.
  ///
  /// - Complexity: Reads every entry once, and from the primary every episode and pattern that is in the cache.
  package func check(against primary: any PrimaryStore) async -> [Check] {
    guard isAvailable else { return [] }
    do throws(LMDBError) {
      var checks = try checkInvariants()
      var damaged: [String] = []
      var differences: [String] = []
      var start: UInt64? = 0
      while let next = start {
        let section = try section(from: next)
        damaged += section.damaged
        for specimen in section.specimens {
          if let difference = await difference(of: specimen, from: primary) { differences.append(difference) }
        }
        start = section.next
      }
      checks.append(Check("cache checksums", outcome(damaged)))
      checks.append(Check("cache against primary", outcome(differences)))
      return checks
    } catch {
      failed(error)
      return [Check("cache", .failed("\(error)"))]
    }
  }

  /// A stretch of the entries, by hash of the key.
  private struct Section {
    var damaged: [String] = []
    /// Those that would be served now.
    var specimens: [Specimen] = []
    /// Where the next one starts; `nil` after the last.
    var next: UInt64?
  }

  private func section(from start: UInt64) throws(LMDBError) -> Section {
    let now = clock.now()
    return try tier.read { transaction throws(LMDBError) in
      var section = Section()
      section.next = start
      var cursor = try transaction.cursor(in: tables.entries)
      for _ in 0..<Self.chunk {
        guard let next = section.next, let entry = try cursor.seek(atOrAfter: next), let hash = entry.integerKey else {
          section.next = nil
          break
        }
        do throws(LMDBError) {
          if let specimen = try specimen(entry.value, hash: hash, now: now, in: transaction) {
            section.specimens.append(specimen)
          }
        } catch let error where error.code == .damaged && error.returnCode == 0 {
          section.damaged.append(error.message)
        }
        section.next = hash == .max ? nil : hash + 1
      }
      return section
    }
  }

  /// - Returns: `nil` for an entry that is not served now, or that the primary has no counterpart of.
  /// - Throws: `.damaged` for bytes that were not stored so.
  private func specimen(
    _ value: RawSpan, hash: UInt64, now: Timestamp, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> Specimen? {
    try value.withUnsafeBytes { bytes throws(LMDBError) in
      guard let entry = CacheEntry(bytes), entry.isIntact(keyHash: hash, epoch: tables.epoch) else {
        throw LMDBError(.damaged, message: "the entry at \(hash) is not what was stored")
      }
      guard let key = entry.key, key.hash == hash else {
        throw LMDBError(.damaged, message: "the entry at \(hash) has another key")
      }
      guard entry.deadline > now.milliseconds, try tables.isCurrent(entry, in: transaction) else { return nil }
      do throws(MalformedBytes) {
        return try Specimen(entry, key: key, hash: hash)
      } catch {
        throw LMDBError(.damaged, message: "\(key) is not a value of its kind")
      }
    }
  }

  private func difference(of specimen: Specimen, from primary: any PrimaryStore) async -> String? {
    do throws(MemoryError) {
      if try await specimen.truth(in: primary) == specimen.value { return nil }
      // What the primary has may be newer than the cache knew. Tell it, and see whether the entry outlives that.
      guard try await catchUp(with: primary), isServed(specimen) else { return nil }
      let truth = try await specimen.truth(in: primary)
      if truth == specimen.value { return nil }
      // Nothing may have come between the catch-up and this reading.
      guard try await catchUp(with: primary), isServed(specimen) else { return nil }
      return truth == .absent ? "\(specimen.key) is gone from the primary" : "\(specimen.key) differs from the primary"
    } catch {
      return "\(specimen.key) could not be compared: \(error)"
    }
  }

  /// - Returns: Whether the cache knows of every change up to now.
  private func catchUp(with primary: any PrimaryStore) async throws(MemoryError) -> Bool {
    for _ in 0..<Self.catchUpTries {
      let stamp = try primary.commitStamp()
      let batch = try await primary.changes(after: watermark(), limit: 4096)
      switch apply(batch, stamp: stamp, waits: true) {
      case .applied where batch.isComplete: return true
      case .applied, .overtaken: continue
      case .busy, .unavailable: return false
      }
    }
    return false
  }

  /// Whether this very entry is still there and current.
  private func isServed(_ specimen: Specimen) -> Bool {
    do throws(LMDBError) {
      return try tier.read { transaction throws(LMDBError) in
        guard let value = try transaction.get(specimen.hash, in: tables.entries),
          value.withUnsafeBytes({ CacheEntry($0)?.sequence }) == specimen.sequence
        else { return false }
        return try tables.isCurrent(value, in: transaction)
      }
    } catch {
      failed(error)
      return false
    }
  }
}
