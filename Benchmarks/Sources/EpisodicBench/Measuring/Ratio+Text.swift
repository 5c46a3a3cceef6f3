import Foundation

extension [Ratio] {
  /// A table with three places after the point: a recall of .998 is not one of 1.
  var text: String {
    var table = TextTable(["ratios and limits", "", "value", "asked", ""])
    for ratio in self {
      let value = ratio.value < 1000 ? String(format: "%.3f", ratio.value) : Int(ratio.value).grouped
      let verdict = ratio.isMet.map { $0 ? "met" : "MISSED" } ?? ""
      table.add([ratio.name, ratio.section, value, ratio.targetText, verdict])
    }
    return table.text
  }
}
