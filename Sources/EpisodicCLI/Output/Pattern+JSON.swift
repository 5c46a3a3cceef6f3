import Episodic

extension Pattern {
  /// The pattern as one JSON object; members that are `nil` are left out.
  var json: JSON {
    var members: JSON.Object = [
      "id": .string(id.rawValue), "pattern_type": .string(type.rawValue), "data": data,
      "data_hash": .string(dataHash), "usage_count": .integer(usageCount),
      "created_at": .string(createdAt.description), "metadata": metadata,
    ]
    members["success_rate"] = successRate.map { JSON($0) }
    members["last_used"] = lastUsed.map { .string($0.description) }
    return .object(members)
  }
}
