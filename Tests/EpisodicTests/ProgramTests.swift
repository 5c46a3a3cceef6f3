import Foundation
import TestSupport
import Testing

/// The pages whose Swift blocks, one after the other, are a program.
///
/// Each is compiled as a client's program is, against the public interface alone and with warnings as errors, and run in an
/// empty directory. The page is the only source: what its `text` blocks show is what the program prints.
@Suite(.enabled(if: DocumentedProgram.hasCompiler, "there is no swiftc"))
struct `Programs of the documentation` {
  static let pages = [
    "README.md",
    "Sources/Episodic/Episodic.docc/GettingStarted.md",
    "Sources/Episodic/Episodic.docc/AgentLoop.md",
    "Sources/Episodic/Episodic.docc/LedgerLoop.md",
    "Sources/Episodic/Episodic.docc/ImportingLogs.md",
    "Sources/Episodic/Episodic.docc/FollowingChanges.md",
    "Sources/Episodic/Episodic.docc/Tour.md",
    "Sources/Episodic/Episodic.docc/Maintenance.md",
  ]

  @Test(arguments: pages) func `the program of a page compiles without a warning and prints what the page shows`(
    _ page: String
  ) throws {
    let program = try DocumentedProgram(page: page)
    try #require(!program.source.isEmpty, "\(page) has no Swift block")
    let directory = try TemporaryDirectory()
    let compiled = try program.compile(in: directory)
    try #require(compiled.status == 0, "\(page):\n\(compiled.errors)")
    let run = try DocumentedProgram.run(directory.file("program"), in: directory)
    #expect(run.status == 0, "\(page):\n\(run.errors)")
    #expect(run.output == program.output, "\(page)")
  }
}

/// A program that a page of the documentation shows.
struct DocumentedProgram {
  struct Result {
    let status: Int32
    let output: String
    let errors: String
  }

  /// Its Swift blocks in their order.
  let source: String
  /// Its `text` blocks in their order.
  let output: String

  init(page: String) throws {
    let text = try Documentation.text(page)
    // A manifest is shown to be copied, and is compiled by the client package.
    source = Self.blocks("swift", of: text).filter { !$0.contains(".package(") }.joined(separator: "\n")
    output = Self.blocks("text", of: text).joined()
  }

  static func blocks(_ language: String, of text: String) -> [String] {
    text.components(separatedBy: "\n```\(language)\n").dropFirst().compactMap {
      $0.components(separatedBy: "\n```").first.map { $0 + "\n" }
    }
  }

  static var hasCompiler: Bool {
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
      FileManager.default.isExecutableFile(atPath: "\($0)/swiftc")
    }
  }

  /// Compiles it with the modules of this build, and links it with the objects that `StoreWorker` has, which depends on
  /// `Episodic` alone.
  func compile(in directory: TemporaryDirectory) throws -> Result {
    let build = Child.products.path(percentEncoded: false)
    let objects = try String(contentsOfFile: build + "StoreWorker.product/Objects.LinkFileList", encoding: .utf8)
      .split(separator: "\n").filter { !$0.contains("StoreWorker.build") }.joined(separator: "\n")
    try objects.write(toFile: directory.file("objects"), atomically: true, encoding: .utf8)
    try source.write(toFile: directory.file("main.swift"), atomically: true, encoding: .utf8)
    var arguments = [
      "swiftc", "-swift-version", "6", "-warnings-as-errors", "-o", directory.file("program"),
      directory.file("main.swift"), "@" + directory.file("objects"), "-I", build + "Modules", "-llmdb", "-lsqlite3",
      "-lz",
    ]
    for map in try Self.moduleMaps(build: build) { arguments += ["-Xcc", "-fmodule-map-file=" + map] }
    return try Self.run("/usr/bin/env", arguments, in: directory)
  }

  /// Of the C targets that the modules import.
  private static func moduleMaps(build: String) throws -> [String] {
    let folders = try FileManager.default.contentsOfDirectory(atPath: build).filter { $0.hasSuffix(".build") }
    let sources = Documentation.root.path(percentEncoded: false)
    return
      (folders.map { build + $0 + "/module.modulemap" }
      + ["CLMDB", "CZlib"].map { sources + "Sources/\($0)/module.modulemap" }
      + [
        sources + ".build/checkouts/GRDB.swift/Sources/GRDBSQLite/module.modulemap",
        sources + ".build/checkouts/swift-system/Sources/CSystem/include/module.modulemap",
      ])
      .filter { FileManager.default.fileExists(atPath: $0) }
  }

  /// Runs a program in the directory, which is its home as well, to its end.
  static func run(_ program: String, _ arguments: [String] = [], in directory: TemporaryDirectory) throws -> Result {
    var environment = ProcessInfo.processInfo.environment
    environment["HOME"] = directory.path
    let child = try Child(
      running: "/bin/sh", ["-c", "cd \"$0\" && exec \"$@\"", directory.path, program] + arguments,
      environment: environment, in: directory)
    return Result(status: child.wait(), output: try child.standardOutput, errors: try child.standardError)
  }
}
