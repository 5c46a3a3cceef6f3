import Episodic
import Foundation

/// A command that runs under the eyes of the recorder, and what came of it.
///
/// It shares our terminal, process group, standard input and environment, so that it runs as it would without us.
struct ChildProcess {
  struct Outcome {
    enum Ending {
      case exited(Int32)
      case killed(signal: Int32)
      case notStarted(CommandStart.Failure)
    }

    let ending: Ending
    let output: OutputCapture
    let duration: Duration
    /// The stream of ours that could not be written, if somebody still wanted it, and why.
    let failure: (stream: Int32, number: Int32)?

    var succeeded: Bool {
      if case .exited(0) = ending { true } else { false }
    }

    /// As a shell would give it: 128 and the signal for a command that was killed, 127 or 126 for one that never ran.
    var exitStatus: Int32 {
      switch ending {
      case .exited(let status): status
      case .killed(let signal): 128 + signal
      case .notStarted(let failure): failure.exitStatus
      }
    }

    /// What is to be known beside the output; `nil` for a command that ended by itself.
    var note: String? {
      switch ending {
      case .exited: nil
      case .killed(let signal): "[killed by signal \(signal): \(String(cString: strsignal(signal)))]"
      case .notStarted(let failure): "[\(failure.message)]"
      }
    }
  }

  let words: CommandWords
  /// Bytes of output to keep.
  let limit: Int

  /// Runs the command to its end. Blocks the thread.
  ///
  /// - Throws: `.unavailable` where the system lacks what a process takes; nothing ran then.
  func run() throws(MemoryError) -> Outcome {
    // A reader that goes away ends the command, not the recording of it.
    signal(SIGPIPE, SIG_IGN)
    defer { signal(SIGPIPE, SIG_DFL) }
    let signals = try SignalInbox()
    var relay = try OutputRelay(signals: signals, keeping: limit)
    let begin = ContinuousClock.now
    switch try CommandStart(words: words, streams: relay.childStreams)() {
    case .failure(let failure):
      return Outcome(
        ending: .notStarted(failure), output: relay.output, duration: ContinuousClock.now - begin, failure: nil)
    case .success(let child):
      let end = relay.run(child)
      let signal = end.status & 0x7F
      return Outcome(
        ending: signal == 0 ? .exited(end.status >> 8 & 0xFF) : .killed(signal: signal), output: relay.output,
        duration: end.time - begin, failure: relay.failure)
    }
  }
}
