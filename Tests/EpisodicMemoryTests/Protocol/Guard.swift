extension Simulator {
  /// What the protocol rests on; each can be taken out of the model, which must then break.
  enum Guard: UInt8, CaseIterable {
    /// `MetaTable.stands`: the stored header against the primary's. Without: I3, a hit after somebody's commit.
    case headerIsCompared
    /// `ReadThrough.find`: a commit after the stamp is caught up with twice. Without: I3, it is never caught up with.
    case headerIsReadBeforeFeed
    /// `LMDBCache.look`: the stored header and the entry are of one snapshot. Without: I3, the entry is one that
    /// somebody's catching up has dropped meanwhile.
    case headerAndEntryAreOfOneSnapshot
    /// `FreshnessGate.isOpen`: the header of a log that was begun anew can be that of a log long gone.
    /// Without: I3, a hit after a commit that was made while everything was closed.
    case verifiedSinceOpening
    /// `LMDBCache.apply`: the watermark never goes back; it is compared under the lock. Without: I3, entries lie ahead of it, see `fillIsNotAhead`.
    case slowerCatchUpIsOvertaken
    /// `LMDBCache.apply`: the header is stored with the last batch only. Without: I3, a hit on what a later batch
    /// would have dropped.
    case headerNeedsCompleteBatch
    /// `SQLitePrimaryStore.changes`: a revision alone does not name a place. Without: I3, a hit on what a restored
    /// backup has never seen.
    case nonceIsCompared
    /// `LMDBCache.apply`: nothing derived from another history stays. Without: I3, as for the nonce.
    case anotherHistoryDropsEverything
    /// `LMDBCache.apply`: entries, tags and watermark change together. Without: I3, a hit in between, which a kill
    /// makes permanent.
    case dropAndWatermarkAreOneTransaction
    /// `CacheTables.verdict`: a value is kept only if it was read at the very watermark, nonce included; so no change
    /// has overtaken it, it lies not ahead, and its history is the cache's. Without: I3, the slow reader, and what a
    /// restored backup has never seen.
    case fillIsOfTheWatermark
    /// `TouchedTags.keys`: catching up drops the entries of the keys that changed. Without: I3, a hit on one of them.
    case changedKeysAreDropped
    /// `CacheTables.isCurrent`: catching up marks the entries of queries by their tags. Without: I3, a hit on the answer
    /// to a query.
    case entryIsCheckedOnRead
    /// `TagTable.lastChange`: likewise for a tag that was forgotten.
    case floorIsCheckedOnRead
    /// `SingleFlight.join`: who shares a load began no later than it, as far as commits go. Without: I3, an answer from
    /// before a commit that the joining read must see.
    case joinerComparesHeaders
  }
}
