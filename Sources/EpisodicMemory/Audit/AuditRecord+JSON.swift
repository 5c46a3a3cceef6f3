import ByteCoding

extension AuditRecord {
  /// The record as a line of an export has it.
  public var json: JSON {
    let counts = self.counts
    return [
      "number": .integer(number), "at": .string("\(at)"), "actor": .string(actor), "verb": .string(verb),
      "domain": domain.map { .string($0.rawValue) } ?? .null,
      "counts": .object(JSON.Object(counts.map { ($0.key, .integer(Int64($0.value))) })),
      "subjects": .array(subjects.map(\.json)), "previous": .string(previous.rawValue),
      "digest": .string(digest.rawValue),
    ]
  }

  /// The record of a line of an export.
  ///
  /// - Throws: `.invalid` for what is no record. Whether it is the one that was written, only a chain can tell.
  public init(json: JSON) throws(MemoryError) {
    guard let members = json.members, let number = members.integer("number"), let at = members.text("at"),
      let time = Timestamp(at), let actor = members.text("actor"), let verb = members.text("verb"),
      let counts = members["counts"]?.members, case .array(let subjects)? = members["subjects"],
      let previous = members.digest("previous"), let digest = members.digest("digest")
    else {
      throw MemoryError(.invalid, "the line is no record of an audit; give a file that audit export wrote")
    }
    var domain: [UInt8]?
    if let value = members["domain"], value != .null {
      guard let bytes = members.digest("domain") else { throw Self.malformed("domain", number) }
      domain = bytes
    }
    var entries = AuditSubjects()
    for subject in subjects {
      guard let entry = AuditSubjects.Entry(json: subject) else { throw Self.malformed("subjects", number) }
      entries.add(entry)
    }
    self.init(
      number: number, at: time, actor: actor, verb: verb, domain: domain, counts: JSON.object(counts).canonicalText,
      subjects: entries.bytes, previous: previous, digest: digest)
  }

  private static func malformed(_ field: String, _ number: Int64) -> MemoryError {
    MemoryError(.invalid, "the \(field) of record \(number) is none; give a file that audit export wrote")
  }
}

extension AuditRecord.Subject {
  fileprivate var json: JSON {
    var members: JSON.Object = ["kind": .string(kind.rawValue), "id": .string(id.rawValue)]
    switch change {
    case .named: members["change"] = "named"
    case .removed: members["change"] = "removed"
    case .written(let content): (members["change"], members["content"]) = ("written", .string(content.rawValue))
    case .changed(let content): (members["change"], members["content"]) = ("changed", .string(content.rawValue))
    case .steps(let first, let count, let content):
      (members["change"], members["content"]) = ("steps", .string(content.rawValue))
      (members["first"], members["count"]) = (.integer(Int64(first)), .integer(Int64(count)))
    }
    return .object(members)
  }
}

extension AuditSubjects.Entry {
  fileprivate init?(json: JSON) {
    guard let members = json.members, let kind = members.text("kind").flatMap(AuditRecord.Subject.Kind.init(rawValue:)),
      let id = members.digest("id"), let word = members.text("change")
    else { return nil }
    let changes: [String: AuditSubjects.Change] = [
      "named": .named, "written": .written, "changed": .changed, "steps": .steps, "removed": .removed,
    ]
    guard let change = changes[word] else { return nil }
    var (first, count, content): (Int64, Int64, [UInt8]) = (0, 0, [])
    if change == .steps {
      guard let number = members.integer("first"), let many = members.integer("count") else { return nil }
      (first, count) = (number, many)
    }
    if change != .named, change != .removed {
      guard let digest = members.digest("content") else { return nil }
      content = digest
    }
    self.init(kind: kind, change: change, id: id, first: first, count: count, content: content)
  }
}

extension JSON.Object {
  func text(_ name: String) -> String? {
    if case .string(let text)? = self[name] { text } else { nil }
  }

  func integer(_ name: String) -> Int64? {
    if case .integer(let value)? = self[name] { value } else { nil }
  }

  func digest(_ name: String) -> [UInt8]? {
    text(name).flatMap([UInt8].init(hexadecimal:)).flatMap { $0.count == 32 ? $0 : nil }
  }
}
