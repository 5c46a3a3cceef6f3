import FileLocks
import ByteCoding
import EpisodicMemory
import Foundation
import LMDB
import TestSupport
import Testing

@testable import MemoryLMDB

/// A store's directory for one test, removed with the value, and what its caches share.
struct ScratchStore: ~Copyable {
  let path: String
  let clock = ManualClock()
  let log = LogRecorder()
  var options = LMDBCache.Options()
  var sizes = LMDBCache.Sizes(LMDBCache.Options())
  var identity = StoreIdentity(rawValue: "00112233445566778899aabbccddeeff")

  var directory: String { path + "/cache.lmdb" }
  var dataFile: String { directory + "/data.mdb" }

  init() throws {
    path = FileManager.default.temporaryDirectory.path + "/cache-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    options.jitter = 0
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  /// As a store opens it: one that misses where it cannot be opened, and comes back.
  func openRecovering() -> RecoveringCache {
    LMDBCache.open(
      at: directory, store: identity, clock: clock, options: options, sizes: sizes, logger: log.logger)
  }

  func open() throws -> LMDBCache { try open(at: directory) }

  func open(at path: String) throws -> LMDBCache {
    try LMDBCache.openFiles(
      at: path, store: identity, clock: clock, options: options, sizes: sizes, logger: log.logger)
  }

  /// An open cache that knows of revision 10.
  func begun() throws -> LMDBCache {
    let cache = try open()
    #expect(cache.begin(at: 10))
    return cache
  }
}

extension LMDBCache {
  /// Tells it of changes, each one revision.
  @discardableResult
  func commit(_ changes: (Change.Subject, String, domain: String?, finished: Bool)...) -> Watermark {
    let asked = watermark() ?? .beginning
    var revision = asked.revision
    let changes = changes.map { subject, key, domain, finished in
      revision += 1
      return Change(revision: revision, subject: subject, key: key, domain: domain, finished: finished)
    }
    let batch = ChangeBatch(asked: asked, continues: true, changes: changes, end: mark(revision), isComplete: true)
    #expect(apply(batch).isApplied)
    return mark(revision)
  }

  func fill(_ episode: Episode, asOf revision: Int64) {
    fill(.episode(episode.id), with: episode, asOf: mark(revision))
  }

  func episode(_ id: Episode.ID) -> Episode? { value(.episode(id), as: Episode.self) }

  /// The problems its own verification finds.
  func problems() throws -> [MemoryCheck] { try checkInvariants().filter { $0.outcome != .passed } }
}

/// A watermark of the one history most tests have.
func mark(_ revision: Int64) -> Watermark { Watermark(revision: revision, nonce: 7) }

/// The one moment of tests that tell the cache of changes themselves.
let now = CommitStamp(InlineArray(repeating: 1))

extension Cache {
  /// Tells it that the history up to a revision is not known.
  func begin(at revision: Int64) -> Bool {
    let batch = ChangeBatch(asked: watermark(), continues: false, changes: [], end: mark(revision), isComplete: true)
    return apply(batch).isApplied
  }

  func apply(_ batch: ChangeBatch) -> BatchOutcome { apply(batch, stamp: now, waits: true) }

  func fill(_ key: CacheKey, with value: (any Cacheable)?, tags: [CacheTag] = [], asOf: Watermark) {
    fill([CacheFill(key, with: value, tags: tags, afterMiss: true)], asOf: asOf, waits: true)
  }

  /// What it has under a key, if it knows of all changes.
  func value<Value: Cacheable>(_ key: CacheKey, as type: Value.Type) -> Value? {
    guard case .hit(let encoded?) = find(key, .at(now)) else { return nil }
    return try? Value(from: encoded)
  }
}

extension BatchOutcome {
  var isApplied: Bool { if case .applied = self { true } else { false } }
  var isOvertaken: Bool { if case .overtaken = self { true } else { false } }
  var isUnavailable: Bool { if case .unavailable = self { true } else { false } }
}

extension Episode {
  /// - Parameter context: Tells versions apart, and makes it as long as wanted.
  static func sample(_ id: String, context: String = "", steps: Int = 0) -> Episode {
    Episode(
      id: ID(id), taskType: .debugging, domain: "d", context: context, createdAt: Timestamp(milliseconds: 1),
      steps: (0..<steps).map {
        Step(id: Step.ID("\(id)-\($0)"), number: $0 + 1, action: "a", timestamp: Timestamp(milliseconds: 2))
      })
  }
}

/// A cached text, for answers to queries.
struct Text: Cacheable, Equatable {
  let value: String

  init(_ value: String) { self.value = value }
  func encode(to bytes: inout ByteWriter) { bytes.write(value) }
  init(from encoded: EncodedValue) throws(MalformedBytes) {
    value = try encoded.withBytes { bytes throws(MalformedBytes) in
      try ByteReader.decode(bytes.bytes) { reader throws(MalformedBytes) in try reader.text() }
    }
  }
}
