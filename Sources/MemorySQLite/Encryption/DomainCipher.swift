import ByteCoding
import EpisodicMemory
import Foundation

/// Where a sealed row stands. Authenticated with it: what is copied to another place cannot be opened there.
struct SealedPlace {
  enum Table: String {
    case episodes, steps, patterns, embeddings

    /// What a message calls a row.
    var title: String {
      switch self {
      case .episodes: "episode"
      case .steps: "step"
      case .patterns: "pattern"
      case .embeddings: "embedding"
      }
    }
  }

  let table: Table
  let id: String
  /// The episode of a step or a vector, the type of a pattern.
  var owner = ""
  /// Of a step.
  var number: Int64 = 0
}

/// Encrypts the rows of a domain with one version of its key, and computes the keyed digests by which they are found.
struct DomainCipher: Sendable {
  /// The form of what is sealed.
  private static let format: UInt8 = 1
  private static let headerCount = 5
  static let keyCount = 64

  let number: Int64
  let domain: String
  let version: Int64
  private let dataKey: [UInt8]
  /// The same for all versions, so that words are found while rows are sealed again.
  private let words: HMACSHA256
  private let digests: HMACSHA256

  /// - Parameter key: 32 bytes for the rows, then 32 for the digests.
  init(number: Int64, domain: String, version: Int64, key: [UInt8]) {
    (self.number, self.domain, self.version) = (number, domain, version)
    dataKey = Array(key.prefix(32))
    let search = HMACSHA256(key: Array(key.dropFirst(32)))
    words = HMACSHA256(key: search.digest(of: Array("words".utf8)))
    digests = HMACSHA256(key: search.digest(of: Array("digests".utf8)))
  }

  // MARK: Rows

  /// The number of the key in the header of a sealed row; `nil` for another form.
  static func keyNumber(of sealed: some Collection<UInt8>) -> Int64? {
    guard sealed.count > headerCount + AuthenticatedEncryption.nonceCount + AuthenticatedEncryption.tagCount - 1 else {
      return nil
    }
    return keyNumber(ofHeader: sealed.prefix(headerCount))
  }

  /// - Parameter header: The first bytes of a sealed row.
  static func keyNumber(ofHeader header: some Collection<UInt8>) -> Int64? {
    guard header.count == headerCount, header.first == format else { return nil }
    return header.dropFirst().reversed().reduce(0) { $0 << 8 | Int64($1) }
  }

  private var header: [UInt8] {
    [Self.format] + (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
  }

  private func authenticated(_ place: SealedPlace) -> [UInt8] {
    var bytes = ByteWriter(capacity: 160)
    bytes.writeRaw(header)
    bytes.write(place.table.rawValue)
    bytes.write(place.id)
    bytes.write(place.owner)
    bytes.write(place.number)
    bytes.write(domain)
    bytes.write(version)
    return bytes.bytes
  }

  func seal(_ plain: [UInt8], at place: SealedPlace) throws -> [UInt8] {
    let (detached, sealed) = try seal(plain, at: place, detaching: 0)
    return detached + sealed
  }

  /// - Parameter count: Bytes of the ciphertext that are kept elsewhere: those of a vector, in its own column.
  func seal(_ plain: [UInt8], at place: SealedPlace, detaching count: Int) throws -> (
    detached: [UInt8], sealed: [UInt8]
  ) {
    let box = try AuthenticatedEncryption.seal(plain, key: dataKey, authenticating: authenticated(place))
    return (Array(box.ciphertext.prefix(count)), header + box.nonce + box.tag + box.ciphertext.dropFirst(count))
  }

  /// - Throws: `.corrupted` if it was sealed elsewhere, or changed.
  func open(_ sealed: [UInt8], detached: [UInt8] = [], at place: SealedPlace) throws -> [UInt8] {
    let nonce = sealed.dropFirst(Self.headerCount)
    let tag = nonce.dropFirst(AuthenticatedEncryption.nonceCount)
    let box = AuthenticatedEncryption.Sealed(
      nonce: Array(nonce.prefix(AuthenticatedEncryption.nonceCount)),
      ciphertext: detached + tag.dropFirst(AuthenticatedEncryption.tagCount),
      tag: Array(tag.prefix(AuthenticatedEncryption.tagCount)))
    guard let plain = AuthenticatedEncryption.open(box, key: dataKey, authenticating: authenticated(place)) else {
      throw Self.damaged(place, domain, version)
    }
    return plain
  }

  static func damaged(_ place: SealedPlace, _ domain: String, _ version: Int64) -> MemoryError {
    MemoryError(
      .corrupted,
      "the \(place.table.title) \"\(place.id)\" of the encrypted domain \"\(domain)\" is not what was encrypted there with version "
        + "\(version) of its key: it was changed, or put in the place of another row; restore a backup")
  }

  // MARK: Digests

  /// The digits of `word`.
  private static let digits = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)

  /// A stem as full text has it: 80 bits of its digest in 16 letters and digits.
  ///
  /// A 0 follows them, which the stemmer takes no ending from.
  func word(_ stem: UnsafeRawBufferPointer) -> [UInt8] {
    let digest = words.digest(of: Array(stem))
    var word: [UInt8] = []
    word.reserveCapacity(17)
    for group in 0..<2 {
      let bits = digest[group * 5..<group * 5 + 5].reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
      for place in (0..<8).reversed() { word.append(Self.digits[Int(bits >> (5 * UInt64(place)) & 31)]) }
    }
    word.append(UInt8(ascii: "0"))
    return word
  }

  /// Signs that separate words, of which full text sees none.
  private static let signs = Array("!#$%&()*+,-./:;<".utf8)

  /// The digest of a whole text in signs that full text does not see: an equal text is found by it.
  func mark(_ text: String) -> String {
    let digest = self.digest("text", Array(text.utf8)).prefix(10)
    return String(decoding: digest.flatMap { [Self.signs[Int($0 >> 4)], Self.signs[Int($0 & 15)]] }, as: UTF8.self)
  }

  /// Of something that is not to be tried without the key.
  func digest(_ kind: String, _ bytes: [UInt8]) -> [UInt8] {
    digests.digest(of: Array(kind.utf8) + [0] + bytes)
  }
}
