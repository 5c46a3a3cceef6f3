import ByteCoding
import Foundation
import FuzzTargets
import StoreRows
import StoreValues
import Testing

@testable import VectorIndex
@testable import WordIndex

/// What reads bytes from outside takes any bytes. `.ci/fuzz` runs the same targets under libFuzzer and the address sanitizer.
@Suite struct `Bytes from outside` {
  /// `EPISODIC_FUZZ=1000000 swift test --filter FuzzTests` runs as many of each.
  private static let count = ProcessInfo.processInfo.environment["EPISODIC_FUZZ"].flatMap(Int.init) ?? 1500

  @Test(arguments: FuzzTarget.all.map(\.name)) func `mutated inputs are read or refused`(_ name: String) throws {
    let target = try #require(FuzzTarget.all.first { $0.name == name })
    var mutator = Mutator(target.corpus, seed: 14)
    #expect(!target.corpus.isEmpty)
    for input in target.corpus { try target.tryInput(input) }
    for _ in 0..<Self.count {
      let input = mutator.next()
      do throws(FuzzTarget.Broken) { try target.tryInput(input) } catch {
        Issue.record("\(error): \(String(decoding: input, as: UTF8.self)) \(input)")
        return
      }
    }
  }

  /// `StoreRows` needs SQLite, which takes long to build with sanitizers.
  @Test func `JSON that another program stored becomes an object, whatever it is`() throws {
    let corpus = [#"{"a": 1, "a": 2, "b": 1e999, "c": "\ud800"}"#, "{", "[1,]", "{'a': .5, b: 0x1F}"]
    var mutator = Mutator(corpus.map { Array($0.utf8) }, seed: 14)
    for _ in 0..<Self.count {
      let text = String(decoding: mutator.next(), as: UTF8.self)
      let value = JSON(storedObject: text)
      #expect(value.members != nil, "\(text)")
      #expect(try JSON(text: value.canonicalText) == value, "\(text)")
    }
  }

  /// In the index they are sealed by a checksum, so that these are bytes with the right one.
  @Test func `records of the index are read or refused`() throws {
    var manifest = Manifest()
    manifest.segments = [.init(id: 3, bytes: 100, parents: .init(documents: 5, dead: 2), children: .init())]
    (manifest.pending, manifest.retired, manifest.nextID) = ([4], [1, 2], 5)
    var mutator = Mutator([manifest.encoded()], seed: 14)
    for _ in 0..<Self.count {
      let bytes = mutator.next()
      guard let read = try? ByteReader.decode(bytes.span.bytes, Manifest.init) else { continue }
      #expect(try ByteReader.decode(read.encoded().span.bytes, Manifest.init) == read)
      #expect(read.segments.allSatisfy { $0.dead <= $0.documents })
    }
    var space = SpaceRecord(number: 1, name: "m", dimensions: 3)
    space.slabs = [
      .init(id: 1, partition: 0, count: 9, alive: 7, states: 3, largestLabel: 2, ids: -1...4, times: 0...9)
    ]
    mutator = Mutator([space.encoded()], seed: 14)
    for _ in 0..<Self.count {
      let bytes = mutator.next()
      let read = try? ByteReader.decode(bytes.span.bytes) { reader throws(MalformedBytes) in
        try SpaceRecord(number: 1, &reader)
      }
      guard let read else { continue }
      #expect(read.slabs.allSatisfy { $0.count <= SlabLayout.capacity && $0.alive >= 0 })
    }
  }

  @Test func `what a corpus begins with is read, so that mutations come near to what is`() throws {
    // Some of these corpora are refused on purpose; the forms below are whole.
    for name in [
      "json", "episode-line", "query-line", "time", "cached-episode", "cached-pattern", "cached-hits", "run-trace",
      "audit-lines", "settings",
    ] {
      let target = try #require(FuzzTarget.all.first { $0.name == name })
      try target.run(try #require(target.corpus.first))
    }
  }

  @Test func `mutations are the same for the same seed, and others for another`() {
    func inputs(_ seed: UInt64) -> [[UInt8]] {
      var mutator = Mutator([Array("some text".utf8), [1, 2, 3]], seed: seed)
      return (0..<50).map { _ in mutator.next() }
    }
    #expect(inputs(1) == inputs(1) && inputs(1) != inputs(2) && Set(inputs(1)).count > 30)
  }
}
