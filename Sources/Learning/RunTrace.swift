package import ByteCoding

/// What learning keeps of one finished run: the symbols of its steps and its outcome, without any text of a step but masked
/// errors.
///
/// The counts of a cell (pattern, agent, domain, step, task) are sums over traces, so they do not depend on an order, and
/// erasing a run takes away exactly what it added.
package struct RunTrace: Hashable, Sendable {
  /// Steps of a run that are looked at.
  package static let longest = 200

  package struct Step: Hashable, Sendable {
    package var symbol: StepSymbol
    /// Of a failed step: `ErrorSignature`.
    package var signature: String?
    /// How often this same action, with the same arguments, was done in the run, this time included; at most 255.
    package var repetition: UInt8

    package init(symbol: StepSymbol, signature: String? = nil, repetition: UInt8 = 1) {
      (self.symbol, self.signature, self.repetition) = (symbol, signature, repetition)
    }
  }

  package var agent: String
  package var domain: String
  /// A digest of what names the task: runs of one task are not independent.
  package var task: UInt64
  /// A digest of the run, which orders the runs of a task.
  package var run: UInt64
  /// When it ended, in milliseconds since 1970: which tasks are the latest.
  package var time: Int64
  package var succeeded: Bool
  /// What the run or its caller says; `nil` if nothing.
  package var successRate: Double?
  /// The first `longest`.
  package var steps: [Step]
  /// Of the whole run.
  package var stepCount: Int

  package init(
    agent: String, domain: String, task: UInt64, run: UInt64, time: Int64 = 0, succeeded: Bool,
    successRate: Double? = nil, steps: [Step], stepCount: Int? = nil
  ) {
    (self.agent, self.domain, self.task, self.run, self.time) = (agent, domain, task, run, time)
    (self.succeeded, self.successRate) = (succeeded, successRate)
    (self.steps, self.stepCount) = (steps, stepCount ?? steps.count)
  }

  /// The last step is a consequence of the outcome, so a pattern may end at every step but this one.
  var usableSteps: Int { max(0, min(steps.count, stepCount - 1)) }
}

extension RunTrace {
  /// In which half of the tasks it is, 0 or 1, when they are halved for the so-manieth time.
  package func half(ofSplit split: Int) -> Int { Int(Checksum.of(task, seed: UInt64(clamping: split)) & 1) }
}

extension RunTrace.Step {
  /// The steps of a run, of which at most `RunTrace.longest` are looked at.
  package static func steps(of texts: some Sequence<StepText>) -> [RunTrace.Step] {
    var times: [UInt64: UInt8] = [:]
    return texts.prefix(RunTrace.longest).map { text in
      let symbol = StepNormaliser.symbol(of: text)
      let digest = Checksum.of(text.action, seed: Checksum.of(text.tool ?? "", seed: 0))
      let repetition = min(times[digest, default: 0], 254) + 1
      times[digest] = repetition
      return RunTrace.Step(
        symbol: symbol,
        signature: symbol.outcome == .failed ? text.result.flatMap(ErrorSignature.of) : nil, repetition: repetition)
    }
  }
}

extension RunTrace {
  /// Layout, little-endian: a format byte; task UInt64, run UInt64, time Int64; succeeded, success rate or NaN; texts of agent and
  /// domain; count of steps; a table of distinct texts, each with a variable count; then for each step numbers in that table of
  /// action, shape and signature, each one more, and bytes of outcome and repetition.
  package var encoded: [UInt8] {
    var texts: [String] = []
    var numbers: [String: UInt32] = [:]
    func number(_ text: String) -> UInt32 {
      if let number = numbers[text] { return number }
      texts.append(text)
      numbers[text] = UInt32(texts.count)
      return UInt32(texts.count)
    }
    let parts = steps.map { step in
      (number(step.symbol.action), number(step.symbol.shape), step.signature.map(number) ?? 0)
    }
    var bytes = ByteWriter(capacity: 256)
    bytes.write(Self.format)
    bytes.write(task)
    bytes.write(run)
    bytes.write(time)
    bytes.write(succeeded)
    bytes.write(successRate ?? .nan)
    bytes.write(agent)
    bytes.write(domain)
    bytes.writeVariable(UInt32(clamping: stepCount))
    bytes.write(texts) { $0.write($1) }
    bytes.writeVariable(UInt32(clamping: steps.count))
    for (step, (action, shape, signature)) in zip(steps, parts) {
      bytes.writeVariable(action)
      bytes.writeVariable(shape)
      bytes.writeVariable(signature)
      bytes.write(step.symbol.outcome.rawValue)
      bytes.write(step.repetition)
    }
    return bytes.bytes
  }

  /// - Throws: If the bytes are no trace of this format.
  package init(encoded: [UInt8]) throws(MalformedBytes) {
    self = try ByteReader.decode(encoded.span.bytes) { reader throws(MalformedBytes) in try RunTrace(from: &reader) }
  }

  /// Another one makes every trace anew.
  package static let format: UInt8 = 1

  private init(from reader: inout ByteReader) throws(MalformedBytes) {
    guard try reader.integer(UInt8.self) == Self.format else { throw MalformedBytes() }
    task = try reader.integer()
    run = try reader.integer()
    time = try reader.integer()
    succeeded = try reader.bool()
    let rate = try reader.double()
    successRate = rate.isNaN ? nil : rate
    agent = try reader.text()
    domain = try reader.text()
    stepCount = Int(try reader.variable())
    let texts = try reader.array { reader throws(MalformedBytes) in try reader.text() }
    func text(_ number: UInt32) throws(MalformedBytes) -> String? {
      if number == 0 { return nil }
      guard number <= texts.count else { throw MalformedBytes() }
      return texts[Int(number) - 1]
    }
    let count = Int(try reader.variable())
    guard count <= Self.longest, count <= stepCount else { throw MalformedBytes() }
    var steps: [Step] = []
    for _ in 0..<count {
      let (action, shape) = (try text(try reader.variable()), try text(try reader.variable()))
      let signature = try text(try reader.variable())
      guard let action, let outcome = StepSymbol.Outcome(rawValue: try reader.integer()) else { throw MalformedBytes() }
      steps.append(
        Step(
          symbol: StepSymbol(action: action, shape: shape ?? "", outcome: outcome), signature: signature,
          repetition: try reader.integer()))
    }
    self.steps = steps
  }
}
