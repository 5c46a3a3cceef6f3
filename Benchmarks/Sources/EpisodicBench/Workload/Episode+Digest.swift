import Episodic

extension Episode {
  /// A sum over every field, so that each has been read and no work can be left out; equal to that of `raw_read`.
  ///
  /// Metadata are `{}` in every episode measured, which is two bytes as text.
  var digest: UInt64 {
    var sum = Int64(
      id.rawValue.utf8.count + taskType.rawValue.utf8.count + domain.utf8.count + (session?.utf8.count ?? 0)
        + context.utf8.count + status.rawValue.utf8.count + (metadata == [:] ? 2 : 0))
    sum &+= createdAt.milliseconds &+ (completedAt?.milliseconds ?? 0) &+ embeddingVersion
    sum &+= Int64((successRate ?? 0) * 1000)
    for step in steps {
      sum &+= Int64(
        step.id.rawValue.utf8.count + step.action.utf8.count + (step.result?.utf8.count ?? 0)
          + (step.tool?.utf8.count ?? 0) + step.number)
      sum &+= step.timestamp.milliseconds
      if step.success == true { sum &+= 1 }
      if let duration = step.duration, duration >= .zero { sum &+= 1 }
    }
    return UInt64(bitPattern: sum)
  }
}
