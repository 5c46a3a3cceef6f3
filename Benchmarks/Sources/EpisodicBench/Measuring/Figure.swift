import Foundation

/// A number by itself: a size, a rate, a time of something done once.
struct Figure: Encodable {
  let name: String
  let value: Double
  let unit: String

  init(_ name: String, _ value: Double, _ unit: String) {
    self.name = name
    self.value = value
    self.unit = unit
  }

  var text: String { value.magnitude < 100 ? String(format: "%.2f", value) : Int(value.rounded()).grouped }
}
