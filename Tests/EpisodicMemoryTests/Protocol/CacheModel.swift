extension Simulator {
  /// What all processes share of the cache, as LMDB holds it: each change of it is one transaction and survives a kill.
  struct CacheModel: Hashable {
    static let noHeader: UInt8 = .max

    struct Entry: Hashable {
      /// The one it was read at; `.max` where there is no entry.
      var revision: UInt8 = .max
      var answer = Answer()

      var exists: Bool { revision != .max }
    }

    /// By subject: the keys' own tags, and their domain's. 0 where the table of tags does not have it.
    struct Tags: Hashable {
      var a: UInt8 = 0
      var b: UInt8 = 0
      var domain: UInt8 = 0
    }

    var watermark = Watermark.none
    /// The primary's header up to which it has caught up.
    var header = noHeader
    /// A tag that is not in the table changed no later than that.
    var floor: UInt8 = 0
    var tags = Tags()
    private var a = Entry()
    private var b = Entry()
    private var both = Entry()

    subscript(subject: Subject) -> Entry {
      get {
        switch subject {
        case .a: a
        case .b: b
        case .both: both
        }
      }
      set {
        switch subject {
        case .a: a = newValue
        case .b: b = newValue
        case .both: both = newValue
        }
      }
    }

    // MARK: Reading

    /// The entry that may be served, if the cache has caught up.
    func currentEntry(for subject: Subject, _ guards: Guards) -> Entry? {
      let entry = self[subject]
      guard entry.exists else { return nil }
      // The entry of a key was dropped by the change itself.
      if subject == .both, guards.stands(.entryIsCheckedOnRead) {
        let floor = guards.stands(.floorIsCheckedOnRead) ? floor : 0
        if lastChange(of: subject, floor: floor) > entry.revision { return nil }
      }
      return entry
    }

    private func lastChange(of subject: Subject, floor: UInt8) -> UInt8 {
      let change =
        switch subject {
        case .a: tags.a
        case .b: tags.b
        case .both: tags.domain
        }
      return change == 0 ? floor : change
    }

    // MARK: Filling

    /// - Returns: Whether a newer entry was overwritten.
    mutating func fill(_ subject: Subject, with answer: Answer, asOf: Watermark, _ guards: Guards) -> Bool {
      guard watermark != .none, asOf == watermark || !guards.stands(.fillIsOfTheWatermark) else { return false }
      let isOlder = self[subject].exists && self[subject].revision > asOf.revision
      self[subject] = Entry(revision: asOf.revision, answer: answer)
      return isOlder
    }

    // MARK: Catching up

    /// Drops the entries of the keys that changed and notes when their tags did.
    ///
    /// - Parameter forgetsTags: Whether the table of tags has no room, so that only the floor tells of the change.
    mutating func note(
      _ history: History, after asked: UInt8, through end: UInt8, forgetsTags: Bool, _ guards: Guards
    ) {
      guard asked < end else { return }
      for revision in (asked + 1)...end {
        let drops = guards.stands(.changedKeysAreDropped)
        if history.commit(at: revision) & 1 == 0 {
          if drops { a = Entry() }
          tags.a = max(tags.a, revision)
        } else {
          if drops { b = Entry() }
          tags.b = max(tags.b, revision)
        }
      }
      tags.domain = max(tags.domain, end)
      if forgetsTags {
        floor = max(floor, tags.domain)
        tags = Tags()
      }
    }

    mutating func begin(at revision: UInt8, droppingEntries: Bool) {
      floor = revision
      tags = Tags()
      guard droppingEntries else { return }
      (a, b, both) = (Entry(), Entry(), Entry())
    }
  }
}
