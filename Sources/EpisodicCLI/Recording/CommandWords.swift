import Foundation

/// The words of a command as bytes: a file name need not be UTF-8.
struct CommandWords {
  /// Without the NUL that ends each.
  let words: [[UInt8]]

  /// The last words of this process's own arguments, which the argument parser returns with bytes that are not UTF-8
  /// replaced.
  init(lastArguments count: Int) {
    let all = (0..<Int(CommandLine.argc)).compactMap { CommandLine.unsafeArgv[$0].map { Self.bytes($0) } }
    words = all.suffix(count)
  }

  /// The name of the program, without its directory.
  var program: String {
    let name = words.first ?? []
    let last = name.split(separator: UInt8(ascii: "/")).last ?? name[...]
    return String(decoding: last, as: UTF8.self)
  }

  static func bytes(_ text: UnsafePointer<CChar>) -> [UInt8] {
    UnsafeBufferPointer(start: text, count: strlen(text)).map { UInt8(bitPattern: $0) }
  }

  // MARK: Shell syntax

  /// The words on one line, quoted where a shell would interpret them.
  var shellText: String { words.map(Self.quoted).joined(separator: " ") }

  private static func quoted(_ bytes: [UInt8]) -> String {
    guard let word = String(validating: bytes, as: UTF8.self) else { return quotedBytes(bytes) }
    guard word.isEmpty || !word.unicodeScalars.allSatisfy(isPlain) else { return word }
    return "'\(word.replacing("'", with: "'\\''"))'"
  }

  /// Bytes that are not UTF-8, in the syntax of bash, zsh and ksh: `$'caf\xE9.txt'`.
  private static func quotedBytes(_ bytes: [UInt8]) -> String {
    let escaped = bytes.map { byte in
      switch byte {
      case UInt8(ascii: "\\"), UInt8(ascii: "'"): "\\\(Character(Unicode.Scalar(byte)))"
      case 0x20..<0x7F: "\(Character(Unicode.Scalar(byte)))"
      default: "\\x\(byte < 0x10 ? "0" : "")\(String(byte, radix: 16, uppercase: true))"
      }
    }
    return "$'\(escaped.joined())'"
  }

  private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", "_", "-", ".", "/", ":", "=", ",", "@", "%", "+": true
    default: scalar.value > 0x7F && !scalar.properties.isWhitespace
    }
  }
}
