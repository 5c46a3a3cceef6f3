import EpisodicMemory

extension String {
  /// The string of bytes that another program may have written: those that are no UTF-8 become U+FFFD.
  ///
  /// Different bytes must stay different names, or what is of one domain would be of two (I8): so a name that had to be
  /// repaired also says its bytes.
  ///
  /// - Parameter isComposed: Also one that is not in normalisation form C, which Swift would call equal to one that is.
  init(storedName bytes: UnsafeRawBufferPointer, isComposed: Bool = false) {
    let text = String(decoding: bytes, as: UTF8.self)
    let isFaithful = isComposed ? bytes.isCanonicalName : text.utf8.elementsEqual(bytes)
    self = isFaithful ? text : text + " (x'" + bytes.hexadecimal + "')"
  }
}

extension UnsafeRawBufferPointer {
  /// Whether the engine could have written these bytes as a name that it compares: UTF-8 in normalisation form C, no NUL.
  ///
  /// A query names the composed form, so the primary, which compares bytes, finds no other.
  var isCanonicalName: Bool {
    if allSatisfy({ $0 < 0x80 && $0 != 0 }) { return true }
    let text = String(decoding: self, as: UTF8.self)
    return text.utf8.elementsEqual(self) && text.canonicallyComposed.utf8.elementsEqual(self) && !contains(0)
  }

  /// What keeps bytes from being a text that the engine could have written; `nil` where nothing does.
  var textFault: String? {
    if contains(0) { return "has a NUL character" }
    return String(validating: self, as: UTF8.self) == nil ? "is not UTF-8" : nil
  }
}

extension Episode.Status {
  /// A status as it is stored. One that is none, which takes a program that switched CHECK constraints off, is read as
  /// archived: such an episode is listed and exported, and left out of recall as it is by default.
  init(stored text: String) { self = Self(rawValue: text) ?? .archived }
}
