import EpisodicMemory
import StoreValues

/// Something that reads bytes from outside, and what must hold for any bytes. A trap is a failure as well.
package struct FuzzTarget: Sendable {
  package let name: String
  /// Inputs that mutations begin with.
  package let corpus: [[UInt8]]
  /// - Throws: `Broken` if a property does not hold. An input may be refused.
  package let run: @Sendable ([UInt8]) throws -> Void

  package struct Broken: Error, CustomStringConvertible {
    package let description: String
    package init(description: String) { self.description = description }
  }

  init(_ name: String, _ corpus: [String], _ run: @escaping @Sendable ([UInt8]) throws -> Void) {
    self.init(name, bytes: corpus.map { Array($0.utf8) }, run)
  }

  init(_ name: String, bytes corpus: [[UInt8]], _ run: @escaping @Sendable ([UInt8]) throws -> Void) {
    (self.name, self.corpus, self.run) = (name, corpus, run)
  }

  /// Runs an input whatever it is; only a broken property is an error.
  package func tryInput(_ bytes: [UInt8]) throws(Broken) {
    do {
      try run(bytes)
    } catch let broken as Broken {
      throw broken
    } catch {
      // Refused, which is right for nearly all.
      return
    }
  }

  static func require(_ holds: Bool, _ what: @autoclosure () -> String) throws {
    guard holds else { throw Broken(description: what()) }
  }

  static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
  static let now = Timestamp(milliseconds: 1_767_225_600_000)
}
