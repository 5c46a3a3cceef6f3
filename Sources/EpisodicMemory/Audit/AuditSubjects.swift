import ByteCoding

/// What a record is of, in bytes: one entry after the other.
///
/// An entry is the kind of the subject, what was done to it, and the digest of its id; then, for steps, the first number and how many
/// there are; then, if there is content, the digest of that.
package struct AuditSubjects: Hashable, Sendable {
  package enum Change: UInt8, Sendable { case named, written, changed, steps, removed }

  /// One entry.
  package struct Entry: Hashable, Sendable {
    package let kind: AuditRecord.Subject.Kind
    package let change: Change
    package let id: [UInt8]
    package let first: Int64
    package let count: Int64
    /// Empty if there is none.
    package let content: [UInt8]
  }

  /// In one record.
  package static let maximumCount = 256

  package private(set) var bytes: [UInt8] = []
  package private(set) var count = 0

  package init() {}

  package mutating func add(
    _ kind: AuditRecord.Subject.Kind, _ change: Change, _ id: [UInt8], first: Int64 = 0, count: Int64 = 0,
    content: [UInt8] = []
  ) {
    var writer = ByteWriter(capacity: 0)
    swap(&writer.bytes, &bytes)
    writer.write(kind.code)
    writer.write(change.rawValue)
    writer.writeRaw(id)
    if change == .steps {
      writer.write(first)
      writer.write(count)
    }
    writer.writeRaw(content)
    swap(&writer.bytes, &bytes)
    self.count += 1
  }

  package mutating func add(_ entry: Entry) {
    add(entry.kind, entry.change, entry.id, first: entry.first, count: entry.count, content: entry.content)
  }

  /// Calls `body` with each entry, up to the first that cannot be read.
  ///
  /// - Returns: Whether all could be read.
  @discardableResult
  package static func forEach(in bytes: [UInt8], _ body: (Entry) -> Void) -> Bool {
    do throws(MalformedBytes) {
      var reader = ByteReader(bytes.span.bytes)
      while !reader.isAtEnd {
        guard let kind = AuditRecord.Subject.Kind(code: try reader.integer()),
          let change = Change(rawValue: try reader.integer())
        else { return false }
        let id = try reader.digest()
        let isSteps = change == .steps
        let (first, count): (Int64, Int64) = isSteps ? (try reader.integer(), try reader.integer()) : (0, 0)
        let hasContent = isSteps || change == .written || change == .changed
        body(
          Entry(
            kind: kind, change: change, id: id, first: first, count: count,
            content: hasContent ? try reader.digest() : []))
      }
      return true
    } catch {
      return false
    }
  }
}

extension ByteReader {
  fileprivate mutating func digest() throws(MalformedBytes) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(32)
    for _ in 0..<4 {
      let word: UInt64 = try integer()
      withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) }
    }
    return bytes
  }
}

extension AuditRecord.Subject.Kind {
  fileprivate var code: UInt8 { self == .episode ? 0 : 1 }

  fileprivate init?(code: UInt8) {
    switch code {
    case 0: self = .episode
    case 1: self = .pattern
    default: return nil
    }
  }
}

extension AuditRecord.Subject {
  init(_ entry: AuditSubjects.Entry) {
    let content = Erasure.Digest(bytes: entry.content)
    let change: Change =
      switch entry.change {
      case .named: .named
      case .written: .written(content)
      case .changed: .changed(content)
      case .steps: .steps(first: Int(clamping: entry.first), count: Int(clamping: entry.count), content)
      case .removed: .removed
      }
    self.init(kind: entry.kind, id: Erasure.Digest(bytes: entry.id), change: change)
  }
}
