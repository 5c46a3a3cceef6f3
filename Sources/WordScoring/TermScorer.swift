#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// bm25 of one word in the documents of one corpus.
///
/// Everything that ranks by words uses this type, so that a document has the same double wherever it is computed. The idf is
/// always positive: a word that most documents have counts little, never nothing.
@usableFromInline package struct TermScorer: Sendable {
  /// How soon further occurrences in one document stop counting.
  @inlinable package static var k1: Double { 1.2 }
  /// How much the length of a document counts, 0...1.
  @inlinable package static var b: Double { 0.75 }

  /// See `idf(documents:having:)`.
  @usableFromInline package let idf: Double
  @usableFromInline let averageLength: Double

  /// - Parameters:
  ///   - documents: Of the corpus.
  ///   - having: Those among them that contain the word.
  ///   - tokens: Of all of them.
  package init(documents: Int, having: Int, tokens: UInt64) {
    let (documents, having) = (Double(documents), Double(min(having, documents)))
    idf = Self.idf(documents: documents, having: having)
    averageLength = tokens == 0 ? 1 : Double(tokens) / documents
  }

  /// ln(1 + (N + 10 - n + 0.5) / (n + 0.5)), N documents, n of them with the word.
  ///
  /// Ten imagined documents have none of the words, so that a word of the only document of a corpus tells as much as one of
  /// eleven documents would: scores mean the same in small corpora.
  package static func idf(documents: Double, having: Double) -> Double {
    log(1 + (documents + 10 - having + 0.5) / (having + 0.5))
  }

  /// - Parameters:
  ///   - frequency: Occurrences of the word in the document.
  ///   - length: Tokens of the document.
  @inlinable @inline(__always)
  package func score(_ frequency: UInt32, _ length: UInt32) -> Double {
    let (frequency, length) = (Double(frequency), Double(length))
    return idf
      * ((frequency * (Self.k1 + 1.0))
        / (frequency + Self.k1 * (1 - Self.b + Self.b * length / averageLength)))
  }
}
