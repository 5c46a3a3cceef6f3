import Foundation

/// The words of a command as the bytes they are: a file name need not be UTF-8.
struct CommandWords {
  /// Without the NUL that ends each.
  let words: [[UInt8]]

  init(_ words: [[UInt8]]) { self.words = words }

  /// The last words that this process was started with, which the argument parser gives with other bytes in the place of
  /// those that are not UTF-8.
  init(lastArguments count: Int) {
    let all = (0..<Int(CommandLine.argc)).compactMap { CommandLine.unsafeArgv[$0].map(Self.bytes) }
    words = all.suffix(count)
  }

  /// The name of the program, without its directory.
  var program: String {
    let name = words.first ?? []
    let last = name.split(separator: UInt8(ascii: "/")).last ?? name[...]
    return String(decoding: last, as: UTF8.self)
  }

  /// Lends the words as `posix_spawn` takes them.
  func withArguments<Value>(_ body: ([UnsafeMutablePointer<CChar>?]) -> Value) -> Value {
    let arguments = words.map { word in word.map { CChar(bitPattern: $0) } + [0] }.map { strdup($0) }
    defer { arguments.forEach { free($0) } }
    return body(arguments + [nil])
  }

  static func bytes(_ text: UnsafePointer<CChar>) -> [UInt8] {
    UnsafeBufferPointer(start: text, count: strlen(text)).map { UInt8(bitPattern: $0) }
  }

  private static func bytes(_ text: UnsafeMutablePointer<CChar>) -> [UInt8] { bytes(UnsafePointer(text)) }
}
