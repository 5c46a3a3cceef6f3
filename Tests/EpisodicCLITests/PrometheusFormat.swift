/// Reads the text format of Prometheus, version 0.0.4, by its grammar:
/// prometheus.io/docs/instrumenting/exposition_formats.
struct PrometheusFormat {
  struct Sample: Hashable {
    let name: String
    let labels: [String: String]
    let value: Double
  }

  struct Violation: Error, CustomStringConvertible {
    let description: String
  }

  private(set) var kinds: [String: String] = [:]
  private(set) var helps: [String: String] = [:]
  private(set) var samples: [Sample] = []

  /// - Throws: `Violation`, with the line and the rule.
  init(_ text: String) throws {
    guard text.isEmpty || text.hasSuffix("\n") else { throw Violation(description: "the last line has no line end") }
    var seen: Set<String> = []
    var family = ""
    for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
      var reader = Reader(rest: line)
      func violation(_ rule: String) -> Violation { Violation(description: "\(rule): \(line)") }
      if line.hasPrefix("#") {
        let parts = line.split(separator: " ", maxSplits: 3).map(String.init)
        guard parts.count == 4, ["HELP", "TYPE"].contains(parts[1]) else { continue }
        guard Self.isName(parts[2], colons: true) else { throw violation("no name of a metric") }
        if parts[1] == "HELP" {
          guard helps.updateValue(parts[3], forKey: parts[2]) == nil else { throw violation("a second HELP") }
          guard parts[3].firstMatch(of: /\\(?![\\n])/) == nil else { throw violation("an unknown escape") }
        } else {
          guard ["counter", "gauge", "histogram", "summary", "untyped"].contains(parts[3]) else {
            throw violation("no type")
          }
          guard kinds.updateValue(parts[3], forKey: parts[2]) == nil else { throw violation("a second TYPE") }
          guard !samples.contains(where: { $0.name == parts[2] }) else { throw violation("TYPE behind a sample") }
          guard seen.insert(parts[2]).inserted else { throw violation("lines of one metric in two groups") }
          family = parts[2]
        }
        continue
      }
      let sample = try reader.sample { violation($0) }
      let suffixes = kinds[family] == "summary" ? ["", "_sum", "_count"] : [""]
      guard suffixes.contains(where: { family + $0 == sample.name }) else { throw violation("not below its TYPE") }
      guard !samples.contains(where: { $0.name == sample.name && $0.labels == sample.labels }) else {
        throw violation("a second sample with these labels")
      }
      if kinds[family] == "summary", sample.name == family {
        guard let quantile = sample.labels["quantile"].flatMap(Double.init), (0...1).contains(quantile) else {
          throw violation("a summary without a quantile")
        }
      }
      if kinds[family] == "counter" {
        guard sample.name.hasSuffix("_total"), sample.value >= 0 else { throw violation("no counter") }
      }
      samples.append(sample)
    }
  }

  /// The value of the only sample with these labels.
  func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
    samples.first { $0.name == name && $0.labels == labels }?.value
  }

  fileprivate static func isName(_ text: String, colons: Bool) -> Bool {
    text.wholeMatch(of: colons ? /[a-zA-Z_:][a-zA-Z0-9_:]*/ : /[a-zA-Z_][a-zA-Z0-9_]*/) != nil
  }

  private struct Reader {
    var rest: Substring

    mutating func take(_ character: Character) -> Bool {
      guard rest.first == character else { return false }
      rest.removeFirst()
      return true
    }

    mutating func sample(_ violation: (String) -> Violation) throws -> Sample {
      let name = String(rest.prefix { $0 != "{" && $0 != " " })
      rest = rest.dropFirst(name.count)
      guard isName(name, colons: true) else { throw violation("no name of a metric") }
      var labels: [String: String] = [:]
      if take("{") {
        while !take("}") {
          let label = String(rest.prefix { $0 != "=" })
          rest = rest.dropFirst(label.count)
          guard isName(label, colons: false), take("="), take("\"") else { throw violation("no label") }
          var value = ""
          while !take("\"") {
            guard let next = rest.popFirst() else { throw violation("an open quote") }
            guard next == "\\" else {
              value.append(next)
              continue
            }
            switch rest.popFirst() {
            case "\\": value.append("\\")
            case "\"": value.append("\"")
            case "n": value.append("\n")
            default: throw violation("an unknown escape")
            }
          }
          guard labels.updateValue(value, forKey: label) == nil else { throw violation("a label twice") }
          guard take(",") || rest.first == "}" else { throw violation("no comma between labels") }
        }
      }
      guard take(" "), let value = Double(rest) else { throw violation("no value") }
      return Sample(name: name, labels: labels, value: value)
    }

    private func isName(_ text: String, colons: Bool) -> Bool { PrometheusFormat.isName(text, colons: colons) }
  }
}
