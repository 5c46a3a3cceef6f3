extension JSONScanner {
  /// What a time looks like, for messages.
  static let timeWanted = "an ISO 8601 UTC time such as 2026-01-31T12:00:00Z"

  mutating func time() throws(MemoryError) -> Timestamp {
    let text = try text(Self.timeWanted)
    do throws(Timestamp.ParsingError) {
      return try Timestamp(iso8601: text)
    } catch {
      throw fault("is \(error)")
    }
  }
}
