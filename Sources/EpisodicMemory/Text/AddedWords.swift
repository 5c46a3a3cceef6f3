/// The words that full text would not find in a row as it is stored: the texts of the columns `added` and `labels`.
///
/// A text that SQLite's tokenizer would cut or fold otherwise than `ScannedText` is there as a whole, folded, so that phrases
/// stay phrases. Then come, each once, the parts of identifiers and the names of several words as one. Empty for plain prose.
package struct AddedWords {
  /// Bytes of an episode's labels that are found: task type, session, strings of the metadata.
  static let maximumLabelBytes = 4096

  private var texts: [ScannedText] = []

  /// Of the context of an episode.
  package static func of(context: String) -> String {
    var words = AddedWords()
    words.add(context)
    return words.text
  }

  /// Of the labels of an episode, each once and marked: a word of a label is another word than that of a text, with a rarity
  /// of its own. A label that many episodes share would otherwise make a word of their texts common.
  package static func labels(taskType: String, session: String?, metadata: JSON) -> String {
    var room = maximumLabelBytes
    var seen = WordHashes()
    var bytes: [UInt8] = []
    func add(_ word: [UInt8]) {
      guard seen.insert(WordHashes.lowercaseHash(word, word.indices)) else { return }
      if !bytes.isEmpty { bytes.append(UInt8(ascii: " ")) }
      bytes += ScannedText.label(word)
    }
    func add(_ label: String) {
      guard room > 0, !label.isEmpty else { return }
      let label = label.utf8.count <= room ? label : String(decoding: label.utf8.prefix(room), as: UTF8.self)
      room -= label.utf8.count
      let scanned = ScannedText(label)
      for unit in scanned.units { scanned.forEachToken(of: unit) { add($0) } }
      scanned.forEachName(isQuestion: false) { add($0) }
    }
    add(taskType)
    if let session { add(session) }
    metadata.forEachString { add($0) }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Of a step.
  package static func of(action: String, result: String?, tool: String?) -> String {
    var words = AddedWords()
    words.add(action)
    if let result { words.add(result) }
    if let tool { words.add(tool) }
    return words.text
  }

  private mutating func add(_ text: String) { texts.append(ScannedText(text)) }

  private var text: String {
    var output = Output()
    for text in texts {
      if text.isPlain { output.skip(wordsOf: text) } else { output.appendSequence(of: text) }
    }
    for text in texts { output.appendNames(of: text) }
    return String(decoding: output.bytes, as: UTF8.self)
  }

  private struct Output {
    var bytes: [UInt8] = []
    /// Hashes of the words that are there or in the stored text.
    private var seen = WordHashes()
    private var sequences = 0

    /// A word of its own between two texts, so that no phrase spans them.
    private static let boundary = Array("\u{F000A}".utf8)

    mutating func skip(wordsOf text: ScannedText) {
      for unit in text.units where unit.kind == .ascii { seen.insert(text.hash(ofASCII: unit)) }
    }

    mutating func appendSequence(of text: ScannedText) {
      guard !text.units.isEmpty else { return }
      if sequences > 0 { append(Self.boundary[...]) }
      sequences += 1
      for unit in text.units {
        text.forEachToken(of: unit) { token in
          seen.insert(WordHashes.lowercaseHash(token, token.indices))
          append(token[...])
        }
      }
    }

    mutating func appendNames(of text: ScannedText) {
      text.forEachName(isQuestion: false) { name in
        if seen.insert(WordHashes.lowercaseHash(name, name.indices)) {
          if sequences > 0 {
            append(Self.boundary[...])
            sequences = 0
          }
          append(name[...])
        }
      }
    }

    private mutating func append(_ word: ArraySlice<UInt8>) {
      if !bytes.isEmpty { bytes.append(UInt8(ascii: " ")) }
      bytes += word
    }
  }
}

extension JSON {
  /// Calls `body` with every string that is a value, not a name, in the order of the canonical text.
  fileprivate func forEachString(_ body: (String) -> Void) {
    switch self {
    case .string(let text): body(text)
    case .array(let elements): for element in elements { element.forEachString(body) }
    case .object(let members): for member in members { member.value.forEachString(body) }
    default: break
    }
  }
}

/// A set of 64-bit hashes of words.
struct WordHashes {
  private var slots = [UInt64](repeating: 0, count: 64)
  private var count = 0

  /// FNV-1a of a word in lower case, never 0.
  static func lowercaseHash(_ bytes: [UInt8], _ word: Range<Int>) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in bytes[word] {
      hash = (hash ^ UInt64(0x41...0x5A ~= byte ? byte | 0x20 : byte)) &* 0x0000_0100_0000_01B3
    }
    return max(hash ^ hash >> 32, 1)
  }

  /// - Returns: False if it was there.
  @discardableResult
  mutating func insert(_ hash: UInt64) -> Bool {
    if count * 2 >= slots.count { grow() }
    let place = place(of: hash)
    guard slots[place] == 0 else { return false }
    slots[place] = hash
    count += 1
    return true
  }

  private func place(of hash: UInt64) -> Int {
    let mask = slots.count - 1
    var place = Int(truncatingIfNeeded: hash) & mask
    while slots[place] != 0, slots[place] != hash { place = (place + 1) & mask }
    return place
  }

  private mutating func grow() {
    let old = slots
    slots = [UInt64](repeating: 0, count: 2 * old.count)
    for hash in old where hash != 0 { slots[place(of: hash)] = hash }
  }
}
