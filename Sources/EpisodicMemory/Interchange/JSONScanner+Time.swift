extension JSONScanner {
  /// What a time looks like, for messages.
  static let timeWanted = "an ISO 8601 UTC time such as 2026-01-31T12:00:00Z"

  mutating func time() throws(MemoryError) -> Timestamp {
    let text = try text(Self.timeWanted)
    guard let time = Timestamp(text) else {
      throw fault("is \"\(text.shortened(to: 60))\"; write \(Self.timeWanted)")
    }
    return time
  }
}
