/// A step as it was recorded: the texts that a `StepSymbol` is made of.
package struct StepText: Sendable {
  package var action: String
  package var result: String?
  package var tool: String?
  /// `nil` if it is not known.
  package var success: Bool?

  package init(action: String, result: String? = nil, tool: String? = nil, success: Bool? = nil) {
    (self.action, self.result, self.tool, self.success) = (action, result, tool, success)
  }
}
