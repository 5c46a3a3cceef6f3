import EpisodicMemory

/// The kinds of findings of a diagnosis. The raw values are stable; the page Doctor has a row for each.
enum FindingCode: String, CaseIterable, Sendable {
  // MARK: The store
  case storeMissing = "store-missing"
  case databaseForeign = "database-foreign"
  case primaryUnavailable = "primary-unavailable"
  case readOnly = "read-only"
  case schemaNewer = "schema-newer"
  case schemaOlder = "schema-older"
  case schemaChanged = "schema-changed"
  case triggerForeign = "trigger-foreign"
  case tableForeign = "table-foreign"
  case indexDropped = "index-dropped"
  case sqliteFeatures = "sqlite-features"

  // MARK: Damage
  case primaryDamaged = "primary-damaged"
  case damageMark = "damage-mark"
  case logWithoutDatabase = "log-without-database"
  case logOfReplaced = "log-of-replaced"
  case journalLeft = "journal-left"

  // MARK: The ledger
  case ledgerDamaged = "ledger-damaged"
  case ledgerWrong = "ledger-wrong"
  case ledgerUnavailable = "ledger-unavailable"

  // MARK: Rows
  case rowsWithoutOwner = "rows-without-owner"
  case rowsForeign = "rows-foreign"
  case vectorBroken = "vector-broken"
  case fullText = "full-text"
  case fullTextDamaged = "full-text-damaged"
  case wordsMissing = "words-missing"
  case patternWords = "pattern-words"
  case feedEnd = "feed-end"
  case feedGap = "feed-gap"
  case feedExhausted = "feed-exhausted"
  case settingBroken = "setting-broken"
  case settingUnknown = "setting-unknown"
  case retentionContradictory = "retention-contradictory"
  case auditBroken = "audit-broken"
  case clockBehind = "clock-behind"
  case freePages = "free-pages"

  // MARK: Upkeep
  case erasureUnfinished = "erasure-unfinished"
  case deletionUnfinished = "deletion-unfinished"
  case maintenanceFailed = "maintenance-failed"
  case maintenanceOverdue = "maintenance-overdue"
  case backupOld = "backup-old"
  case backupIncomplete = "backup-incomplete"
  case backupsMany = "backups-many"
  case receiptsUnreadable = "receipts-unreadable"

  // MARK: Cache and index
  case cacheWrong = "cache-wrong"
  case cacheUnreadable = "cache-unreadable"
  case indexWrong = "index-wrong"
  case indexUnreadable = "index-unreadable"
  case derivedUnusable = "derived-unusable"
  case readerDead = "reader-dead"
  case readerStopped = "reader-stopped"
  case lockStopped = "lock-stopped"

  // MARK: Files
  case symbolicLink = "symbolic-link"
  case hardLinks = "hard-links"
  case notAFile = "not-a-file"
  case permissionsOpen = "permissions-open"
  case lockMode = "lock-mode"
  case ownerOther = "owner-other"
  case draftLeft = "draft-left"
  case partialLeft = "partial-left"
  case fileUnknown = "file-unknown"
  case storeLarge = "store-large"
  case indexLarge = "index-large"
  case logLong = "log-long"

  // MARK: The machine
  case diskLow = "disk-low"
  case inodesLow = "inodes-low"
  case fileSystemNetwork = "file-system-network"
  case fileSystemOverlay = "file-system-overlay"
  case fileLimit = "file-limit"
  case mapLimit = "map-limit"
  case temporaryDirectory = "temporary-directory"
}

extension FindingCode {
  var severity: Diagnosis.Severity {
    switch self {
    case .primaryDamaged, .logWithoutDatabase, .fullTextDamaged, .feedExhausted, .schemaChanged, .ledgerDamaged: .damage
    case .storeMissing, .databaseForeign, .primaryUnavailable, .schemaNewer, .triggerForeign, .sqliteFeatures,
      .damageMark,
      .rowsWithoutOwner, .rowsForeign, .vectorBroken, .fullText, .wordsMissing, .patternWords, .feedEnd, .feedGap,
      .auditBroken, .settingBroken, .retentionContradictory, .erasureUnfinished, .cacheWrong, .indexWrong,
      .symbolicLink, .hardLinks,
      .notAFile, .fileSystemNetwork, .ledgerWrong, .ledgerUnavailable:
      .failure
    case .readOnly, .indexDropped, .logOfReplaced, .journalLeft, .settingUnknown, .clockBehind, .maintenanceFailed,
      .maintenanceOverdue, .backupOld, .backupIncomplete, .backupsMany, .receiptsUnreadable, .cacheUnreadable,
      .indexUnreadable, .derivedUnusable, .readerDead, .readerStopped, .lockStopped, .permissionsOpen, .lockMode,
      .ownerOther, .storeLarge, .indexLarge, .logLong, .diskLow, .inodesLow, .fileLimit, .mapLimit,
      .temporaryDirectory:
      .warning
    case .fileSystemOverlay, .schemaOlder, .tableForeign, .freePages, .deletionUnfinished, .draftLeft, .partialLeft,
      .fileUnknown:
      .note
    }
  }

  /// Whether a repair mends it: without touching the content of a row.
  var isMendable: Bool {
    switch self {
    case .indexDropped, .damageMark, .rowsWithoutOwner, .fullText, .wordsMissing, .patternWords, .feedEnd, .feedGap,
      .erasureUnfinished, .cacheWrong, .cacheUnreadable, .indexWrong, .indexUnreadable, .readerDead, .permissionsOpen,
      .lockMode, .draftLeft, .partialLeft, .logLong:
      true
    default: false
    }
  }

  /// What to do.
  var remedy: String {
    switch self {
    case .storeMissing: "name another directory, or make a store by recording or importing"
    case .databaseForeign: "name another directory, or restore a backup"
    case .primaryUnavailable: "do what the reason says, and diagnose again"
    case .readOnly: "nothing, if it is meant to be read only; otherwise change the owner or the mode"
    case .schemaNewer: "use a newer build"
    case .schemaOlder: "open it for writing once, which migrates it after a backup"
    case .schemaChanged: "restore a backup, or export what can be read into another store"
    case .triggerForeign: "drop it, if it is not known to be harmless"
    case .tableForeign: "nothing; it is not part of the store, and no backup or export is made for it alone"
    case .indexDropped: "repair, or open the store for writing, which makes it again"
    case .sqliteFeatures: "use a build with another SQLite"
    case .primaryDamaged: "keep a copy of all files; restore a backup, or salvage what can be read"
    case .damageMark: "repair checks everything and takes the mark away if nothing is damaged"
    case .logWithoutDatabase: "keep that file, and restore a backup"
    case .logOfReplaced: "keep it until it is known that no commit is missing, then remove it"
    case .journalLeft: "end the program that uses the store without its log, or let SQLite roll the journal back"
    case .ledgerDamaged: "keep a copy of its files, and restore a backup of the ledger"
    case .ledgerWrong, .ledgerUnavailable: "do what the reason says, and diagnose again"
    case .rowsWithoutOwner: "repair sets them aside in orphans_kept; correct others by hand"
    case .rowsForeign: "correct the rows that are named, or write them again through the library"
    case .vectorBroken: "delete the vector, or embed its text again"
    case .fullText: "repair, which builds the index again"
    case .fullTextDamaged: "compare with a backup and restore it; or rebuild and accept the texts as they are"
    case .wordsMissing, .patternWords: "repair, which adds the words"
    case .feedEnd, .feedGap: "repair; caches and indexes begin again"
    case .feedExhausted: "execute the statement that the reason has"
    case .settingBroken: "set it again, or remove it"
    case .settingUnknown: "remove it, or use the version that knows it"
    case .retentionContradictory: "set a policy in which no part undoes another"
    case .clockBehind: "set the clock; until then times and expiries are wrong"
    case .freePages: "run maintenance with a full vacuum when nobody writes"
    case .erasureUnfinished: "repair finishes the cleaning"
    case .deletionUnfinished: "run maintenance, which deletes the rest"
    case .maintenanceFailed: "read the reason; the next run tries again"
    case .maintenanceOverdue: "run maintenance, or let the engine do it by itself"
    case .backupOld: "make a backup; if a schedule is to make them, run maintenance"
    case .backupIncomplete: "verify the backup, or remove it and make another"
    case .backupsMany: "remove the oldest, or give the number to keep with the next backup"
    case .receiptsUnreadable:
      "run maintenance, which adds a key that the store has; then remove lines that cannot be read"
    case .auditBroken:
      "compare it with a head that is kept elsewhere, and with backups; who may write the file changed it"
    case .cacheWrong, .indexWrong: "repair, which builds it again"
    case .cacheUnreadable, .indexUnreadable: "repair, or open the store, which makes it again"
    case .derivedUnusable: "move what is in the way somewhere else"
    case .readerDead: "repair, or open the store, which frees the slot"
    case .readerStopped, .lockStopped: "continue the process (kill -CONT) or end it"
    case .symbolicLink: "put the file itself in its place"
    case .hardLinks: "copy the file, and remove the other names"
    case .notAFile: "move it somewhere else"
    case .permissionsOpen: "repair takes the right from others; a group keeps what it has"
    case .lockMode: "repair gives it the rights of the database"
    case .ownerOther: "change the owner to that of the directory"
    case .draftLeft, .partialLeft: "repair removes it"
    case .fileUnknown: "move it somewhere else, if it is not known what it is"
    case .storeLarge, .indexLarge: "set a policy of retention, or raise the threshold"
    case .logLong: "repair moves it into the database; if it stays, end the reader that holds it"
    case .diskLow: "free some space"
    case .inodesLow: "remove files, or make the file system again with more inodes"
    case .fileSystemNetwork: "move the store to a disk of this machine"
    case .fileSystemOverlay: "put the store on a volume"
    case .fileLimit: "raise the limit (ulimit -n) to 256 or more"
    case .mapLimit: "lift the limit (ulimit -v unlimited), or do without cache and index"
    case .temporaryDirectory: "set TMPDIR to a directory that can be written"
    }
  }
}
