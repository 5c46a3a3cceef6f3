import Foundation

/// The ratio of two figures of one run, with its target.
struct Ratio: Encodable {
  enum Target {
    case atMost(Double)
    case atLeast(Double)
  }

  let section: String
  let name: String
  let value: Double
  let target: Target?

  init(_ name: String, section: String, _ above: Double, over below: Double, target: Target? = nil) {
    self.section = section
    self.name = name
    value = below > 0 ? above / below : 0
    self.target = target
  }

  /// `nil` without a target.
  var isMet: Bool? {
    switch target {
    case .atMost(let bound): value <= bound
    case .atLeast(let bound): value >= bound
    case nil: nil
    }
  }

  var targetText: String {
    switch target {
    case .atMost(let bound): "at most \(bound)"
    case .atLeast(let bound): "at least \(bound)"
    case nil: ""
    }
  }

  static let titles = ["ratios and limits", "", "value", "target", ""]
  /// Three decimals, because a recall of .998 is not 1.
  var cells: [String] {
    let text = value < 1000 ? String(format: "%.3f", value) : Int(value).grouped
    return [name, section, text, targetText, isMet.map { $0 ? "met" : "MISSED" } ?? ""]
  }

  enum CodingKeys: String, CodingKey { case section, name, value, target, met }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(section, forKey: .section)
    try container.encode(name, forKey: .name)
    try container.encode((value * 1000).rounded() / 1000, forKey: .value)
    if let isMet {
      try container.encode(targetText, forKey: .target)
      try container.encode(isMet, forKey: .met)
    }
  }
}
