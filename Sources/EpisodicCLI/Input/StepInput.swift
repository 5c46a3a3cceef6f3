import Episodic

extension Step.Draft {
  /// Reads a step in the form of an import, in which everything but the action has a default.
  init(object value: JSON) throws(MemoryError) {
    var object = try InputObject(value, as: "a step")
    try self.init(members: &object)
    try object.end()
  }

  /// Takes the members of a step.
  init(members object: inout InputObject) throws(MemoryError) {
    let number = try object.integer("step_number")
    let milliseconds = try object.integer("duration_ms")
    guard number.map({ Int(exactly: $0) != nil }) ?? true else {
      throw MemoryError(.invalid, "step_number is \(number ?? 0); write a smaller one")
    }
    self.init(
      try object.required("action"), result: try object.text("result"), tool: try object.text("tool"),
      duration: milliseconds.map { .milliseconds($0) }, success: try object.bool("success"),
      number: number.flatMap { Int(exactly: $0) }, timestamp: try object.time("timestamp"),
      provenance: try Provenance(members: &object))
  }
}
