import ArgumentParser

/// A key that makes a request that is repeated one request.
enum IdempotencyKey {
  /// Its name in an object on standard input.
  static let member = "idempotency_key"

  static let help = ArgumentHelp(
    "Repeat a call without repeating what it did: the same key again gives the first answer, for 7 days.",
    valueName: "key")
}
