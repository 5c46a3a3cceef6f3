import Episodic
import Foundation

/// Episodes of about 20 steps, of which most are short and a few are long, as lines of a file.
struct MixedEpisodes {
  private static let stepsPerEpisode = 20
  private static let firstMoment: Int64 = 1_750_000_000_000

  private var generator: SeededGenerator
  private let vocabulary: Vocabulary

  init(seed: UInt64) {
    generator = SeededGenerator(seed: seed)
    vocabulary = Vocabulary(count: 50_000, &generator)
  }

  /// - Returns: The bytes of the file.
  func write(steps: Int, to path: String, _ progress: (Int) -> Void) throws -> Int {
    var episodes = self
    guard FileManager.default.createFile(atPath: path, contents: nil), let file = FileHandle(forWritingAtPath: path)
    else { throw BenchError("\(path) cannot be written") }
    var (written, bytes) = (0, 0)
    for number in 0... where written < steps {
      let count = min(Self.stepsPerEpisode, steps - written)
      let line = Data((episodes.line(number, steps: count) + "\n").utf8)
      try file.write(contentsOf: line)
      written += count
      bytes += line.count
      if number.isMultiple(of: 256) { progress(written) }
      if written == steps { break }
    }
    try file.close()
    return bytes
  }

  private mutating func line(_ number: Int, steps: Int) -> String {
    let moment = Timestamp(milliseconds: Self.firstMoment + Int64(number) * 1000).description
    let texts = (1...steps).map { step in
      #"{"step_number":\#(step),"action":"\#(vocabulary.text(bytes: 40, &generator))","result":"\#(result())","#
        + #""tool":"shell","success":true,"timestamp":"\#(moment)"}"#
    }
    return #"{"id":"mixed-\#(number)","task_type":"testing","domain":"bench-\#(number % 4)","#
      + #""context":"\#(vocabulary.text(bytes: 200, &generator))","status":"completed","created_at":"\#(moment)","#
      + #""completed_at":"\#(moment)","steps":[\#(texts.joined(separator: ","))]}"#
  }

  private mutating func result() -> String {
    let bytes =
      switch Int.random(in: 0..<1000, using: &generator) {
      case 0: Int.random(in: 20_000...200_000, using: &generator)
      case 1..<100: Int.random(in: 500...8_000, using: &generator)
      default: Int.random(in: 50...500, using: &generator)
      }
    return vocabulary.text(bytes: bytes, &generator)
  }
}
