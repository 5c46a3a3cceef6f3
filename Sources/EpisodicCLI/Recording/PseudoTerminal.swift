import Episodic
import Foundation

/// A pseudo-terminal: what is written to its one end is typed at the other.
struct PseudoTerminal {
  /// The end of this process.
  let main: FileDescriptor
  /// The path of the command's end.
  let path: String

  /// Makes one with the settings and the size of the terminal that this process has, if it has one.
  ///
  /// - Throws: `.unavailable` if the system has none left.
  init() throws(MemoryError) {
    guard let (number, path) = Self.open() else {
      throw MemoryError(
        .unavailable, "cannot make a pseudo-terminal: \(String(cString: strerror(errno))); leave --tty out")
    }
    main = FileDescriptor(number)
    self.path = path
    if let settings = TerminalMode.current(of: STDIN_FILENO) {
      var settings = settings
      tcsetattr(number, TCSANOW, &settings)
    }
    copySize()
  }

  /// The descriptor of a new one and the path of its other end; `nil`, with `errno`, without one.
  private static func open() -> (Int32, String)? {
    #if os(Linux)
      // What posix_openpt, unlockpt and ptsname do; glibc hides their declarations from Swift.
      let number = Foundation.open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
      guard number >= 0 else { return nil }
      var lock: Int32 = 0
      var index: Int32 = 0
      let (setLock, getNumber): (UInt, UInt) = (0x4004_5431, 0x8004_5430)  // TIOCSPTLCK, TIOCGPTN
      if ioctl(number, setLock, &lock) == 0, ioctl(number, getNumber, &index) == 0 {
        return (number, "/dev/pts/\(index)")
      }
    #else
      let number = posix_openpt(O_RDWR | O_NOCTTY)
      guard number >= 0 else { return nil }
      _ = fcntl(number, F_SETFD, FD_CLOEXEC)
      if grantpt(number) == 0, unlockpt(number) == 0, let name = ptsname(number) {
        return (number, String(cString: name))
      }
    #endif
    let reason = errno
    close(number)
    errno = reason
    return nil
  }

  /// Gives it the size of this process's terminal, of which the command is told by SIGWINCH; 24 lines of 80 columns if there
  /// is none.
  func copySize() {
    var size = winsize(ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0)
    for stream in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where isatty(stream) == 1 {
      if ioctl(stream, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { break }
    }
    _ = ioctl(main.number, UInt(TIOCSWINSZ), &size)
  }
}

/// The settings of this process's terminal while a command has a pseudo-terminal: each key goes to the command as it is
/// pressed, also those that would be signals.
final class TerminalMode {
  private let saved: termios
  private var isRaw = true

  /// `nil`, with nothing changed, if standard input is no terminal, or this process is in its background, where a change
  /// would stop it.
  init?() {
    guard let current = Self.current(of: STDIN_FILENO), tcgetpgrp(STDIN_FILENO) == getpgrp() else { return nil }
    saved = current
    var raw = current
    cfmakeraw(&raw)
    tcsetattr(STDIN_FILENO, TCSADRAIN, &raw)
  }

  deinit { restore() }

  func restore() {
    guard isRaw else { return }
    isRaw = false
    var settings = saved
    tcsetattr(STDIN_FILENO, TCSADRAIN, &settings)
  }

  static func current(of stream: Int32) -> termios? {
    var settings = termios()
    return tcgetattr(stream, &settings) == 0 ? settings : nil
  }
}
