public import Logging
import StoreValues

/// Writes what a program logs through swift-log as events of a ledger, in the background.
///
/// ```swift
/// LoggingSystem.bootstrap(LedgerLogHandler(writingTo: ledger).labelled)
/// ```
///
/// Logging never waits: up to 10,000 lines and 16 MiB are kept until they are written, further ones are dropped and counted, and
/// an event tells how many. Metadata become the details of the event; `run_id`, `task_id`, `person_id`, `kind`, `component` and
/// `error_type` among them also its fields, and a run that is not there is not referred to. What the ledger itself logs is
/// left out.
public struct LedgerLogHandler: LogHandler {
  /// Bytes of a message, and of its details as text, beyond which they are cut.
  private static let maximumBytes = 64 << 10

  /// Lines below are left out.
  public var logLevel = Logger.Level.info
  /// Added to the metadata of each line.
  public var metadata: Logger.Metadata = [:]
  /// Asked for further metadata with each line.
  public var metadataProvider: Logger.MetadataProvider?

  private let label: String
  private let clock: any WallClock
  private let writer: BackgroundWriter<Ledger.Event.Draft>

  /// A handler with a buffer of its own; those that `labelled` gives share it.
  ///
  /// - Parameter capacity: Lines that are kept until they are written.
  public init(writingTo ledger: Ledger, label: String = "log", capacity: Int = 10_000) {
    var bounds = BackgroundWriter<Ledger.Event.Draft>.Bounds()
    bounds.elements = max(1, capacity)
    clock = ledger.database.clock
    self.label = label
    writer = BackgroundWriter(bounds: bounds) { events, dropped in
      await ledger.write(events, dropped: dropped)
    }
  }

  /// The handler of a logger with a label, which becomes the component of its events.
  public func labelled(_ label: String) -> any LogHandler { copy(label) }

  private func copy(_ label: String) -> LedgerLogHandler {
    LedgerLogHandler(
      logLevel: logLevel, metadata: metadata, metadataProvider: metadataProvider, label: label, clock: clock,
      writer: writer)
  }

  private init(
    logLevel: Logger.Level, metadata: Logger.Metadata, metadataProvider: Logger.MetadataProvider?, label: String,
    clock: any WallClock, writer: BackgroundWriter<Ledger.Event.Draft>
  ) {
    (self.logLevel, self.metadata, self.metadataProvider) = (logLevel, metadata, metadataProvider)
    (self.label, self.clock, self.writer) = (label, clock, writer)
  }

  /// The metadata of each line by its name.
  public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  /// Lines that were dropped: the buffer was full, or they could not be written.
  public var dropped: Int { writer.dropped }

  /// Returns when all that was logged before is written.
  public func flush() async { await writer.flush() }

  /// Keeps a line until it is written; never waits.
  public func log(event: LogEvent) {
    // The ledger's own lines would cause further ones.
    guard event.source != Self.module else { return }
    var fields = metadata
    if let provided = metadataProvider?.get() { fields.merge(provided) { $1 } }
    if let given = event.metadata { fields.merge(given) { $1 } }
    if let error = event.error { fields["error"] = "\(error)" }
    let message = Self.safe("\(event.message)")
    var draft = Ledger.Event.Draft(message, level: .init(event.level))
    draft.kind = fields.name("kind").map { .init(rawValue: $0) } ?? (draft.level >= .error ? .error : .log)
    draft.component = .init(rawValue: fields.name("component") ?? (label.isEmpty ? "log" : Self.safe(label)))
    draft.errorType = (fields.name("error_type") ?? event.error.map { "\(type(of: $0))" }).map { .init(rawValue: $0) }
    draft.run = fields.identifier("run_id")
    draft.task = fields.identifier("task_id")
    draft.person = fields.identifier("person_id")
    draft.at = clock.now()
    let details = Logger.MetadataValue.dictionary(fields).json
    let text = details.canonicalText
    draft.details = text.utf8.count <= Self.maximumBytes ? details : ["cut": .string(Self.safe(text))]
    writer.add(draft, bytes: message.utf8.count + min(text.utf8.count, Self.maximumBytes) + 256)
  }

  /// Source of the lines that the ledger logs.
  private static let module = "AgentLedger"

  /// What can be stored: not too long, and without NUL.
  private static func safe(_ text: String) -> String {
    let short = text.cut(toBytes: maximumBytes)
    return short.utf8.contains(0) ? short.replacing("\0", with: "\u{FFFD}") : short
  }
}

extension Ledger.Event.Level {
  fileprivate init(_ level: Logger.Level) {
    self =
      switch level {
      case .trace, .debug: .debug
      case .info, .notice: .info
      case .warning: .warning
      case .error: .error
      case .critical: .critical
      }
  }
}

extension Logger.Metadata {
  /// A text that can be a name or an id; `nil` for any other.
  fileprivate func name(_ key: String) -> String? {
    guard let value = self[key], case let text = "\(value)", (1...128).contains(text.utf8.count),
      !text.utf8.contains(0)
    else { return nil }
    return text
  }

  fileprivate func identifier<Entity>(_ key: String) -> Identifier<Entity>? {
    name(key).map { Identifier(rawValue: $0) }.flatMap { (1...128).contains($0.rawValue.utf8.count) ? $0 : nil }
  }
}

extension Logger.MetadataValue {
  fileprivate var json: JSON {
    switch self {
    case .string(let text): .string(text)
    case .stringConvertible(let value): .string("\(value)")
    case .array(let values): .array(values.map(\.json))
    case .dictionary(let members): .object(JSON.Object(members.mapValues(\.json)))
    }
  }
}

extension Ledger {
  /// - Parameter dropped: Told in an event of its own.
  /// - Returns: How many could not be written.
  fileprivate func write(_ events: [Event.Draft], dropped: Int) async -> Int {
    let count = events.count
    var events = events
    if dropped > 0 {
      var note = Event.Draft(
        "\(dropped) lines of the log were dropped: more came than could be written", level: .warning, kind: .log,
        component: "ledger", details: ["dropped": .integer(Int64(dropped))])
      note.at = database.clock.now()
      events.append(note)
    }
    let input = database.input
    // One that is refused is dropped alone.
    let new = events.compactMap { event in try? NewEvent(event, input) }
    do {
      try await database.write(EventAppend(events: new, isLenient: true), in: appends.events)
      return min(count, events.count - new.count)
    } catch {
      return count
    }
  }
}
