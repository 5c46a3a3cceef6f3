/// Distinct terms of a list of words, and the places they have in it.
struct QueryTerms {
  private(set) var terms: [[UInt8]] = []
  /// The number of each word's term, in the order of the words.
  private(set) var order: [Int] = []

  init(_ words: [[UInt8]]) {
    var numbers: [[UInt8]: Int] = [:]
    for word in words {
      let term = word.withUnsafeBytes { WordKey.term($0) }
      let number = numbers[term] ?? terms.count
      if number == terms.count {
        numbers[term] = number
        terms.append(term)
      }
      order.append(number)
    }
  }

  func multiplicity(_ number: Int) -> Int { order.count { $0 == number } }
}
