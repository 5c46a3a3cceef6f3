import StoreValues
import Synchronization

/// A call of a sink, with a bound on the wait for it.
///
/// A sink that does not answer, and does not heed its cancellation either, goes on in a task of its own, which nobody waits
/// for.
final class SinkCall: Sendable {
  private enum State {
    case unanswered
    case awaited(CheckedContinuation<[Ledger.DeliveryOutcome], Never>)
    case answered([Ledger.DeliveryOutcome])
  }

  private let state = Mutex(State.unanswered)

  /// - Returns: An outcome for each message, in order. If the caller is cancelled, the sink is too, and gets `timeout` to say
  ///   what came of it.
  static func outcomes(
    of sink: some OutboxSink, _ batch: [Ledger.OutboxMessage], within timeout: Duration
  ) async -> [Ledger.DeliveryOutcome] {
    let call = SinkCall()
    let work = _Concurrency.Task { @concurrent in
      do {
        let outcomes = try await sink.deliver(batch)
        call.answer(
          outcomes.count == batch.count
            ? outcomes
            : failed(batch, "the sink returned \(outcomes.count) outcomes for \(batch.count) messages"))
      } catch {
        // What was taken from a sink in its work says nothing of the messages.
        call.answer(
          _Concurrency.Task.isCancelled
            ? batch.map { _ in .notSent(after: .zero) } : failed(batch, "the sink failed: \(error)"))
      }
    }
    let timer = _Concurrency.Task { @concurrent in
      do {
        try await _Concurrency.Task.sleep(for: timeout)
      } catch {
        return
      }
      call.answer(failed(batch, "the sink did not answer within \(timeout.inWholeUnits)"))
      work.cancel()
    }
    defer { timer.cancel() }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { call.wait($0) }
    } onCancel: {
      work.cancel()
    }.map(\.storable)
  }

  private static func failed(_ batch: [Ledger.OutboxMessage], _ error: String) -> [Ledger.DeliveryOutcome] {
    batch.map { _ in .tryAgain(error) }
  }

  private func wait(_ continuation: CheckedContinuation<[Ledger.DeliveryOutcome], Never>) {
    let answered = state.withLock { state -> [Ledger.DeliveryOutcome]? in
      if case .answered(let outcomes) = state { return outcomes }
      state = .awaited(continuation)
      return nil
    }
    if let answered { continuation.resume(returning: answered) }
  }

  /// The first answer counts.
  private func answer(_ outcomes: [Ledger.DeliveryOutcome]) {
    let awaiting = state.withLock { state -> CheckedContinuation<[Ledger.DeliveryOutcome], Never>? in
      switch state {
      case .answered: return nil
      case .unanswered:
        state = .answered(outcomes)
        return nil
      case .awaited(let continuation):
        state = .answered(outcomes)
        return continuation
      }
    }
    awaiting?.resume(returning: outcomes)
  }
}
