import Foundation

/// A series of numbers as one line of text.
struct Sparkline {
  /// Characters by height: of nothing first.
  private static let blocks = Array("▁▂▃▄▅▆▇█")
  private static let ascii = Array("_.:=+*#@")

  let isUnicode: Bool

  init(isUnicode: Bool = Self.isUnicodeTerminal) { self.isUnicode = isUnicode }

  /// Whether what reads the output shows block elements: the locale is one of UTF-8 and the terminal is not dumb.
  static let isUnicodeTerminal: Bool = {
    func variable(_ name: String) -> String? {
      getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }
    guard variable("TERM") != "dumb" else { return false }
    let locale = (variable("LC_ALL") ?? variable("LC_CTYPE") ?? variable("LANG") ?? "").lowercased()
    return locale.contains("utf-8") || locale.contains("utf8")
  }()

  /// The heights of counts, from 0 to the highest; 0 alone is drawn as nothing.
  ///
  /// - Parameter width: Columns at most; neighbours are added up to fit.
  func counts(_ values: [Int], width: Int = 40) -> String {
    let sums = Self.parts(of: values, width).map { part in part.reduce(0, +) }
    let highest = sums.max() ?? 0
    return String(sums.map { character($0 == 0 || highest == 0 ? 0 : Double($0) / Double(highest), $0 > 0) })
  }

  /// The heights of values; `·` (`-` in ASCII) for none.
  ///
  /// - Parameter highest: The value of a whole block; `nil`: the highest.
  func values(_ values: [Double?], highest: Double? = nil, width: Int = 40) -> String {
    let means: [Double?] = Self.parts(of: values, width).map { part in
      let known = part.compactMap(\.self)
      return known.isEmpty ? nil : known.reduce(0, +) / Double(known.count)
    }
    let highest = highest ?? means.compactMap(\.self).max() ?? 0
    return String(
      means.map { value in
        guard let value else { return isUnicode ? "·" : "-" }
        return character(highest > 0 ? value / highest : 0, false)
      })
  }

  private func character(_ share: Double, _ isSomething: Bool) -> Character {
    let characters = isUnicode ? Self.blocks : Self.ascii
    let top = characters.count - 1
    let index = Int(exactly: (min(1, max(0, share)) * Double(top)).rounded()) ?? 0
    return characters[max(index, isSomething ? 1 : 0)]
  }

  /// At most `width` runs of nearly equal length.
  private static func parts<Value>(of values: [Value], _ width: Int) -> [ArraySlice<Value>] {
    let count = min(values.count, max(1, width))
    return (0..<count).map { values[$0 * values.count / count..<($0 + 1) * values.count / count] }
  }
}
