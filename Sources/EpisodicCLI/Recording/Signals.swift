import Foundation

/// What the recorder does with the signals that end a program.
enum Signals {
  /// Ignores signals; returns those that were not ignored already, as `nohup` does, and are to be put back for a child.
  static func ignore(_ signals: [Int32]) -> [Int32] {
    signals.filter { number in
      let before = signal(number, SIG_IGN)
      return unsafeBitCast(before, to: Int.self) != unsafeBitCast(SIG_IGN, to: Int.self)
    }
  }

  /// Passes signals on to a process until they are cancelled.
  static func forward(_ signals: [Int32], to process: pid_t) -> [any DispatchSourceSignal] {
    signals.map { number in
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { kill(process, number) }
      source.resume()
      return source
    }
  }
}
