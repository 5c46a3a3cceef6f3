public import StoreValues

extension Ledger {
  /// A page that was fetched, kept until it expires or others need its room.
  public struct Page: Hashable, Sendable, Codable {
    /// Its URL, for example.
    public let key: String
    /// Its text.
    public let data: String
    /// What it is written in.
    public let type: PageType
    /// Bytes of UTF-8.
    public let size: Int
    /// When it was put.
    public let createdAt: Timestamp
    /// It is not given from then on.
    public let expiresAt: Timestamp
    /// How often it was got.
    public let accessCount: Int
    /// When it was got or put, last.
    public let lastAccessed: Timestamp

    enum CodingKeys: String, CodingKey {
      case key, data, type, size
      case createdAt = "created_at"
      case expiresAt = "expires_at"
      case accessCount = "access_count"
      case lastAccessed = "last_accessed"
    }
  }

  /// What a page is written in.
  public enum PageType: String, Hashable, Sendable, Codable, CaseIterable {
    /// The form of its text.
    case html, json, text
  }

  /// How long pages of each type are fresh.
  public struct PageLifetimes: Hashable, Sendable {
    /// Of `html`.
    public var html = Duration.seconds(24 * 3600)
    /// Of `json`.
    public var json = Duration.seconds(24 * 3600)
    /// Of `text`.
    public var text = Duration.seconds(24 * 3600)

    /// The defaults: 24 hours.
    public init() {}

    /// Of a type.
    public subscript(type: PageType) -> Duration {
      switch type {
      case .html: html
      case .json: json
      case .text: text
      }
    }
  }

  /// How often a page that was asked for was there and fresh.
  public struct PageHitRate: Hashable, Sendable, Codable {
    /// The beginning of the hour.
    public let hour: Timestamp
    /// Those that were there and fresh.
    public let hits: Int
    /// Those that were not.
    public let misses: Int

    /// 0...1; 0 if none was asked for.
    public var rate: Double { Double(hits) / Double(max(1, hits.addingReportingOverflow(misses).partialValue)) }
  }
}
