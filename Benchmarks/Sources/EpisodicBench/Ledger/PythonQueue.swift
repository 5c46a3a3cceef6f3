import Foundation

/// A claim loop of litequeue, a queue on SQLite for Python, in a process of its own.
struct PythonQueue {
  let python: String
  let file: String

  struct Result: Decodable {
    let version: String
    let seconds: Double
    let claims: Int
  }

  /// Fills the queue before the clock runs; pops with what its documentation shows.
  private static let program = """
    import importlib.metadata, json, sys, time
    import litequeue
    queue = litequeue.LiteQueue(sys.argv[1])
    for number in range(int(sys.argv[2])):
        queue.put(json.dumps({"number": number, "url": "https://example.org/page/%d" % number}))
    claims = 0
    start = time.perf_counter()
    while claims < int(sys.argv[3]) and queue.pop() is not None:
        claims += 1
    print(json.dumps({"seconds": time.perf_counter() - start, "claims": claims,
        "version": importlib.metadata.version("litequeue")}))
    """

  /// - Returns: `nil` with the reason on the report if the interpreter has no litequeue.
  func run(tasks: Int, claims: Int) throws -> (result: Result?, note: String?) {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [python, "-c", Self.program, file, "\(tasks)", "\(claims)"]
    let (output, errors) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError) = (output, errors)
    do {
      try process.run()
    } catch {
      return (nil, "litequeue was left out: \(python) cannot be started")
    }
    let printed = output.fileHandleForReading.readDataToEndOfFile()
    let said = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      let reason = said.split(separator: "\n").last.map(String.init) ?? "exit status \(process.terminationStatus)"
      return (nil, "litequeue was left out: \(python) says: \(reason)")
    }
    return (try JSONDecoder().decode(Result.self, from: printed), nil)
  }
}
