#if Passwords
  import Crypto
  import CryptoExtras
  import Foundation
  import StoreRows
  import StoreValues

  extension Ledger {
    /// The parameters of scrypt (RFC 7914): memory is 128 · `blocks` · `blockSize` bytes, time that times `parallelism`.
    public struct PasswordCost: Hashable, Sendable, Codable {
      /// *N*, a power of 2.
      public var blocks = 1 << 15
      /// *r*.
      public var blockSize = 8
      /// *p*.
      public var parallelism = 3

      /// 32 MiB and some 100 ms: one of the equivalent choices of the OWASP Password Storage Cheat Sheet, 2025.
      public init() {}

      /// - Parameter blocks: *N*, a power of 2.
      public init(blocks: Int, blockSize: Int = 8, parallelism: Int = 1) {
        (self.blocks, self.blockSize, self.parallelism) = (blocks, blockSize, parallelism)
      }

      /// - Throws: `.invalid`, also for more than 1 GiB.
      func validate() throws(MemoryError) {
        guard isSensible else {
          throw MemoryError(
            .invalid,
            "scrypt does not take N \(blocks), r \(blockSize), p \(parallelism); N is a power of 2 from 2 to 1048576, r from 1 to 32, p from 1 to 16, and 128 N r at most 1 GiB"
          )
        }
      }

      var isSensible: Bool {
        (2...1 << 20).contains(blocks) && blocks.nonzeroBitCount == 1 && (1...32).contains(blockSize)
          && (1...16).contains(parallelism) && 128 * blocks * blockSize <= 1 << 30
      }

      /// Blocks that are mixed in all.
      var work: Int { blocks * blockSize * parallelism }
    }
  }

  /// What is kept of a password: the algorithm with its parameters, the salt, and the key that it derives.
  struct PasswordVerifier: Codable, Sendable {
    /// Bytes of UTF-8.
    static let lengths = 8...1024

    private let algorithm: String
    private let n: Int
    private let r: Int
    private let p: Int
    private let salt: Data
    private let digest: Data

    /// Of a new password, with a random salt of 16 bytes.
    init(of password: String, _ cost: Ledger.PasswordCost) throws(MemoryError) {
      algorithm = "scrypt"
      (n, r, p) = (cost.blocks, cost.blockSize, cost.parallelism)
      var generator = SystemRandomNumberGenerator()
      salt = Data((0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) })
      digest = try Self.derived(from: password, salt, cost, count: 32)
    }

    /// - Throws: `.corrupted` for one that the engine did not write.
    init(text: String) throws(MemoryError) {
      do {
        self = try JSONDecoder().decode(Self.self, from: Data(text.utf8))
      } catch {
        throw MemoryError(.corrupted, "a password's verifier cannot be read; set the password again", cause: error)
      }
      guard algorithm == "scrypt", cost.isSensible, !salt.isEmpty, (16...64).contains(digest.count) else {
        throw MemoryError(
          .corrupted,
          "a password's verifier is of \"\(algorithm.shortened(to: 20))\" with unknown parameters; set the password again"
        )
      }
    }

    var text: String {
      JSON.object([
        "algorithm": .string(algorithm), "n": .integer(Int64(n)), "r": .integer(Int64(r)), "p": .integer(Int64(p)),
        "salt": .string(salt.base64EncodedString()), "digest": .string(digest.base64EncodedString()),
      ]).canonicalText
    }

    private var cost: Ledger.PasswordCost { Ledger.PasswordCost(blocks: n, blockSize: r, parallelism: p) }

    func isCheaper(than other: Ledger.PasswordCost) -> Bool { cost.work < other.work }

    /// Takes as long for a wrong password as for the right one.
    func accepts(_ password: String) throws(MemoryError) -> Bool {
      // No verifier is of a password of another length, and scrypt of swift-crypto takes no empty one.
      let isPossible = Self.lengths.contains(password.canonicallyComposed.utf8.count)
      let key = try Self.derived(from: isPossible ? password : "no password", salt, cost, count: digest.count)
      return Self.areEqual(key, digest) && isPossible
    }

    /// Looks at every byte, whichever is the first to differ.
    private static func areEqual(_ a: Data, _ b: Data) -> Bool {
      a.count == b.count && zip(a, b).reduce(0 as UInt8) { $0 | ($1.0 ^ $1.1) } == 0
    }

    private static func derived(
      from password: String, _ salt: Data, _ cost: Ledger.PasswordCost, count: Int
    ) throws(MemoryError) -> Data {
      do {
        let key = try KDF.Scrypt.deriveKey(
          from: Data(password.canonicallyComposed.utf8), salt: salt, outputByteCount: count, rounds: cost.blocks,
          blockSize: cost.blockSize, parallelism: cost.parallelism)
        return key.withUnsafeBytes { Data($0) }
      } catch {
        throw MemoryError(
          .unavailable, "scrypt failed, perhaps for lack of \(128 * cost.blocks * cost.blockSize) bytes; try again",
          cause: error)
      }
    }
  }
#endif
