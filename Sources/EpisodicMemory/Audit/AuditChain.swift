/// Verifies records of an audit one after the other, from the store or from an export.
///
/// ```swift
/// var chain = AuditChain(against: [head])
/// for line in lines { chain.add(try AuditRecord(json: JSON(text: line))) }
/// let verification = chain.verification()
/// ```
public struct AuditChain: Sendable {
  private var heads: [Int64: [AuditHead]]
  private let newestHead: AuditHead?
  private var result = AuditVerification()
  private var last = AuditRecord.origin

  /// - Parameter heads: Of before, which the records have to agree with.
  public init(against heads: [AuditHead] = []) {
    self.heads = Dictionary(grouping: heads, by: \.number)
    newestHead = heads.max { $0.number < $1.number }
    compareHeads()
  }

  /// Takes the next record.
  ///
  /// Cost: SHA-256 of the record.
  public mutating func add(_ record: AuditRecord) {
    let (expected, overflow) = result.number.addingReportingOverflow(1)
    var isExplained = false
    if record.number != expected || overflow {
      isExplained = true
      if record.number > expected {
        let names =
          record.number == expected + 1 ? "record \(expected) is" : "records \(expected) to \(record.number - 1) are"
        result.found(.recordMissing, expected, "\(names) missing")
      } else {
        result.found(.orderBroken, record.number, "record \(record.number) comes after record \(result.number)")
      }
    }
    if record.computedDigest != record.digestBytes {
      result.found(
        .recordChanged, record.number, "record \(record.number) does not say what its digest is of: it was changed")
    } else if record.previousBytes != last, !isExplained {
      result.found(
        .orderBroken, record.number, "record \(record.number) was not written after the record that comes before it")
    }
    result.records += 1
    result.number = record.number
    result.digest = record.digest
    last = record.digestBytes
    compareHeads()
  }

  /// Notes a record that cannot be read.
  package mutating func addUnreadable(_ number: Int64, _ reason: String) {
    result.found(.recordChanged, number, "record \(number) cannot be read: \(reason)")
    result.records += 1
    result.number = number
    last = []
  }

  private mutating func compareHeads() {
    for head in heads.removeValue(forKey: result.number) ?? [] where head.digest != result.digest {
      result.found(
        .headDiffers, head.number,
        "record \(head.number) is another one than at \(head.at), when its digest was \(head.digest.rawValue.prefix(16))…"
      )
    }
  }

  /// What was found, after the last record.
  public func verification() -> AuditVerification {
    var result = result
    if let newestHead, newestHead.number > result.number {
      result.found(
        .tailCut, result.number,
        "the last record is \(result.number), and at \(newestHead.at) it was \(newestHead.number): the end was cut off, or an older "
          + "copy was restored")
    }
    return result
  }
}
