import Foundation
import StoreRows
import StoreValues

extension Ledger {
  /// Which notices a person gets, and how.
  public struct NoticePreferences: Hashable, Sendable, Codable {
    /// A notice goes by each of these; by none of them nothing is sent.
    public var channels: [Notice.Channel]
    /// Only notices of these kinds; `nil` for all.
    public var kinds: [Notice.Kind]?
    /// Of the clock of the person's zone; `nil` for none.
    public var quietHours: QuietHours?

    /// All kinds by e-mail at any hour.
    public init(
      channels: [Notice.Channel] = [.email], kinds: [Notice.Kind]? = nil, quietHours: QuietHours? = nil
    ) {
      (self.channels, self.kinds, self.quietHours) = (channels, kinds, quietHours)
    }

    enum CodingKeys: String, CodingKey {
      case channels, kinds
      case quietHours = "quiet_hours"
    }

    /// What is left out is as by default.
    public init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      self.init(
        channels: try container.decodeIfPresent([Notice.Channel].self, forKey: .channels) ?? [.email],
        kinds: try container.decodeIfPresent([Notice.Kind].self, forKey: .kinds),
        quietHours: try container.decodeIfPresent(QuietHours.self, forKey: .quietHours))
    }
  }
}

extension Ledger.NoticePreferences {
  /// - Throws: `.corrupted` for those that another program wrote otherwise.
  init(stored text: String, of id: Ledger.Person.ID) throws(MemoryError) {
    do {
      self = try JSONDecoder().decode(Self.self, from: Data(text.utf8))
    } catch {
      throw MemoryError(.corrupted, "the preferences of person \"\(id)\" cannot be read; set them again", cause: error)
    }
  }

  fileprivate var json: JSON {
    var members: JSON.Object = ["channels": .array(channels.map { .string($0.rawValue) })]
    if let kinds { members["kinds"] = .array(kinds.map { .string($0.rawValue) }) }
    if let quietHours {
      members["quiet_hours"] = [
        "from": .string(quietHours.start.description), "to": .string(quietHours.end.description),
      ]
    }
    return .object(members)
  }
}

extension LedgerInput {
  /// - Returns: What is stored.
  func preferences(_ preferences: Ledger.NoticePreferences) throws(MemoryError) -> String {
    try channels(preferences.channels)
    for kind in preferences.kinds ?? [] { try name(kind.rawValue, "a kind of notices") }
    if let hours = preferences.quietHours {
      for (field, time) in [("start", hours.start), ("end", hours.end)] where !(0..<1440).contains(time.minutes) {
        throw MemoryError(
          .invalid, "the \(field) of the quiet hours is \(time.minutes) minutes after midnight; give 00:00 to 23:59")
      }
      guard hours.start != hours.end else {
        throw MemoryError(
          .invalid,
          "the quiet hours start and end at \(hours.start); give two times, or no channels if there is to be no notice")
      }
    }
    return try json(preferences.json, "the preferences")
  }

  func channels(_ channels: [Ledger.Notice.Channel]) throws(MemoryError) {
    guard Set(channels).count == channels.count else {
      throw MemoryError(
        .invalid, "the channels \(channels.map(\.rawValue).joined(separator: ", ")) name one twice; name each once")
    }
  }
}
