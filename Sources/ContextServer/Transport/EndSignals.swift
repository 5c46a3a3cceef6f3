import Foundation

/// The signals that ask the process to end.
package final class EndSignals {
  private var sources: [any DispatchSourceSignal] = []

  /// - Parameter patience: Seconds from a signal until the process ends whatever it waits for, such as a client that does not read
  ///   its answers; what was recorded is durable.
  /// - Parameter end: Called at each signal, from another thread.
  package init(patience: Double, _ end: @escaping @Sendable () -> Void) {
    for number in [SIGTERM, SIGINT, SIGHUP] {
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        end()
        DispatchQueue.global().asyncAfter(deadline: .now() + patience) { _exit(0) }
      }
      source.resume()
      sources.append(source)
    }
  }

  package func stop() {
    for source in sources { source.cancel() }
  }
}
