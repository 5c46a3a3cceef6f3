/// What one term gives to one step.
struct StepPart {
  var member: UInt64
  var term: Int
  var score: Double
}
