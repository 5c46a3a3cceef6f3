/// A name of an open set: the constants are the usual ones, and every other non-empty text is one too.
public protocol OpenName: RawRepresentable<String>, Hashable, Sendable, Codable, ExpressibleByStringLiteral,
  CustomStringConvertible
{
  /// The name as it is stored.
  init(rawValue: String)
}

extension OpenName {
  /// As `init(rawValue:)`.
  public init(stringLiteral value: String) { self.init(rawValue: value) }
  /// The name as it is stored.
  public var description: String { rawValue }
}
