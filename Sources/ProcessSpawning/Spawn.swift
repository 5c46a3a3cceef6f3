package import Foundation

/// Starts a process with `posix_spawn`.
///
/// Not swift-subprocess (1.0.2): it resets ignored signals, so a command under `nohup` would die of SIGHUP; it cannot
/// start a process with a closed standard stream; and it reports a missing program and one without permission as one
/// error. Not `Foundation.Process`: it passes on the signal mask of the calling thread and fails on Linux with more than
/// about 1,300 open files.
package struct Spawn: ~Copyable {
  #if os(Linux)
    private var actions = posix_spawn_file_actions_t()
    private var attributes = posix_spawnattr_t()
  #else
    private var actions: posix_spawn_file_actions_t?
    private var attributes: posix_spawnattr_t?
  #endif
  private var flags: Int32 = 0

  package init() {
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
  }

  deinit {
    var (actions, attributes) = (actions, attributes)
    posix_spawn_file_actions_destroy(&actions)
    posix_spawnattr_destroy(&attributes)
  }

  // MARK: What the process starts with, in the order of the calls

  /// Makes `descriptor` of this process the descriptor `number` of the new one.
  package mutating func duplicate(_ descriptor: Int32, as number: Int32) {
    posix_spawn_file_actions_adddup2(&actions, descriptor, number)
  }

  package mutating func open(_ path: String, _ mode: Int32, as number: Int32) {
    posix_spawn_file_actions_addopen(&actions, number, path, mode, 0)
  }

  package mutating func close(_ number: Int32) {
    posix_spawn_file_actions_addclose(&actions, number)
  }

  /// Sets signals to their default action. Others stay ignored if this process ignores them.
  package mutating func resetSignals(_ numbers: [Int32]) {
    var signals = sigset_t()
    sigemptyset(&signals)
    for number in numbers { sigaddset(&signals, number) }
    posix_spawnattr_setsigdefault(&attributes, &signals)
    flags |= Int32(POSIX_SPAWN_SETSIGDEF)
  }

  /// Blocks exactly these signals, instead of those that the calling thread blocks.
  package mutating func block(_ signals: sigset_t) {
    var signals = signals
    posix_spawnattr_setsigmask(&attributes, &signals)
    flags |= Int32(POSIX_SPAWN_SETSIGMASK)
  }

  package mutating func useNewProcessGroup() {
    posix_spawnattr_setpgroup(&attributes, 0)
    flags |= Int32(POSIX_SPAWN_SETPGROUP)
  }

  /// Makes it the leader of a session of its own, without a terminal.
  package mutating func useNewSession() {
    #if os(Linux)
      flags |= 0x80  // POSIX_SPAWN_SETSID of glibc, which is hidden without _GNU_SOURCE.
    #else
      flags |= Int32(POSIX_SPAWN_SETSID)
    #endif
  }

  // MARK: Starting

  package struct Failure: Error, CustomStringConvertible {
    /// The `errno`.
    package let number: Int32
    package var description: String { String(cString: strerror(number)) }
  }

  /// Starts a program.
  ///
  /// - Parameter path: The program, which is not looked up in `PATH`.
  /// - Parameter arguments: Including the name of the program, as bytes: a file name need not be UTF-8.
  /// - Parameter environment: `NAME=value` each; `nil` for that of this process.
  package mutating func start(
    _ path: [UInt8], _ arguments: [[UInt8]], environment: [[UInt8]]? = nil
  ) throws(Failure) -> pid_t {
    posix_spawnattr_setflags(&attributes, Int16(flags))
    let (file, words) = (path.map { CChar(bitPattern: $0) } + [0], Self.cStrings(arguments))
    let variables = environment.map(Self.cStrings)
    defer { for text in words + (variables ?? []) { free(text) } }
    var process: pid_t = 0
    let failure =
      if let variables {
        posix_spawn(&process, file, &actions, &attributes, words, variables)
      } else {
        posix_spawn(&process, file, &actions, &attributes, words, environ)
      }
    guard failure == 0 else { throw Failure(number: failure) }
    return process
  }

  /// Copies to be freed, with the `nil` that ends the list.
  private static func cStrings(_ texts: [[UInt8]]) -> [UnsafeMutablePointer<CChar>?] {
    texts.map { text in strdup(text.map { CChar(bitPattern: $0) } + [0]) } + [nil]
  }
}
