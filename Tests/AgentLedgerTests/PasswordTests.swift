#if Passwords
  import GRDB
  import StoreValues
  import TestSupport
  import Testing

  @testable import AgentLedger

  @Suite struct `Passwords of people` {
    /// Cheap: what is tested does not depend on it.
    private static let cost = Ledger.PasswordCost(blocks: 16)

    private func ledger() async throws -> Ledger {
      let ledger = try await Ledger.inMemory(clock: ManualClock())
      try await ledger.add(Ledger.Person.Draft("ada", id: "ada"))
      return ledger
    }

    @Test func `a person is found by handle and password, and by no other password`() async throws {
      let ledger = try await ledger()
      #expect(try await ledger.person(handle: "ada", password: "correct horse", cost: Self.cost) == nil)
      try await ledger.set(password: "correct horse", of: "ada", cost: Self.cost)
      let ada = try #require(try await ledger.person("ada"))
      #expect(ada.hasPassword)
      #expect(try await ledger.person(handle: "ada", password: "correct horse", cost: Self.cost) == ada)
      for wrong in [
        "correct horsf", "correct hors", "correct horse ", "", "Correct horse", String(repeating: "a", count: 2000),
      ] {
        #expect(try await ledger.person(handle: "ada", password: wrong, cost: Self.cost) == nil)
      }
      #expect(try await ledger.person(handle: "bob", password: "correct horse", cost: Self.cost) == nil)
      try await ledger.set(password: nil, of: "ada", cost: Self.cost)
      #expect(try await ledger.person("ada")?.hasPassword == false)
      #expect(try await ledger.person(handle: "ada", password: "correct horse", cost: Self.cost) == nil)
    }

    @Test func `composed and decomposed letters are one password`() async throws {
      let ledger = try await ledger()
      try await ledger.set(password: "Gr\u{FC}\u{DF}e an alle", of: "ada", cost: Self.cost)
      #expect(try await ledger.person(handle: "ada", password: "Gru\u{308}\u{DF}e an alle", cost: Self.cost) != nil)
    }

    @Test func `two verifiers of one password differ, and none has the password`() async throws {
      let ledger = try await ledger()
      var texts: [String] = []
      for _ in 0..<2 {
        try await ledger.set(password: "correct horse", of: "ada", cost: Self.cost)
        texts.append(try await verifier(ledger))
      }
      #expect(texts[0] != texts[1])
      #expect(!texts[0].contains("horse"))
      #expect(texts[0].contains("\"n\":16") && texts[0].contains("\"algorithm\":\"scrypt\""))
    }

    @Test func `the right password replaces a cheaper verifier, the wrong one does not`() async throws {
      let ledger = try await ledger()
      try await ledger.set(password: "correct horse", of: "ada", cost: Self.cost)
      let cheap = try await verifier(ledger)
      let dear = Ledger.PasswordCost(blocks: 32)
      #expect(try await ledger.person(handle: "ada", password: "wrong horse", cost: dear) == nil)
      #expect(try await verifier(ledger) == cheap)
      #expect(try await ledger.person(handle: "ada", password: "correct horse", cost: dear) != nil)
      #expect(try await verifier(ledger).contains("\"n\":32"))
      #expect(try await ledger.person(handle: "ada", password: "correct horse", cost: Self.cost) != nil)
      #expect(try await verifier(ledger).contains("\"n\":32"))
    }

    /// RFC 7914, section 12: P="password", S="NaCl", N=1024, r=8, p=16.
    @Test func `a verifier of the standard's test vector accepts its password`() throws {
      let verifier = try PasswordVerifier(
        text: """
          {"algorithm":"scrypt","n":1024,"r":8,"p":16,"salt":"TmFDbA==",\
          "digest":"/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWIurzDZLiKjiG/xCSedmDDaxyevuUqD7m2DYMvfoswGQA=="}
          """)
      #expect(try verifier.accepts("password"))
      #expect(try !verifier.accepts("passwore"))
    }

    @Test(arguments: [
      "{}", "null",
      #"{"algorithm":"scrypt","n":1099511627776,"r":8,"p":1,"salt":"TmFDbA==","digest":"TmFDbFRtRkRiQT09"}"#,
      #"{"algorithm":"md5","n":16,"r":8,"p":1,"salt":"TmFDbA==","digest":"TmFDbFRtRkRiQT09TmFDbFRtRkRiQT09"}"#,
      #"{"algorithm":"scrypt","n":16,"r":8,"p":1,"salt":"","digest":"TmFDbFRtRkRiQT09TmFDbFRtRkRiQT09"}"#,
      #"{"algorithm":"scrypt","n":16,"r":8,"p":1,"salt":"TmFDbA==","digest":""}"#,
    ])
    func `a verifier that another program wrote is damage, and accepts nobody`(_ text: String) async throws {
      let ledger = try await ledger()
      try await ledger.database.write { db, _ in
        try db.execute(sql: "UPDATE people SET verifier = ?", arguments: [text])
      }
      let error = await #expect(throws: MemoryError.self) {
        _ = try await ledger.person(handle: "ada", password: "", cost: Self.cost)
      }
      #expect(error?.code == .corrupted)
    }

    @Test(arguments: [
      Ledger.PasswordCost(blocks: 3), .init(blocks: 0), .init(blocks: -16), .init(blocks: 1 << 21),
      .init(blocks: 16, blockSize: 0), .init(blocks: 16, parallelism: 17), .init(blocks: 1 << 20, blockSize: 32),
    ])
    func `parameters that scrypt does not take are refused`(_ cost: Ledger.PasswordCost) async throws {
      let ledger = try await ledger()
      let error = await #expect(throws: MemoryError.self) {
        try await ledger.set(password: "correct horse", of: "ada", cost: cost)
      }
      #expect(error?.code == .invalid)
    }

    @Test func `a password that is too short or too long is refused, and one of nobody`() async throws {
      let ledger = try await ledger()
      for password in ["", "1234567", String(repeating: "a", count: 1025)] {
        let error = await #expect(throws: MemoryError.self) {
          try await ledger.set(password: password, of: "ada", cost: Self.cost)
        }
        #expect(error?.code == .invalid)
        #expect(error?.message.contains("1234567") == false)
      }
      let error = await #expect(throws: MemoryError.self) {
        try await ledger.set(password: "correct horse", of: "bob", cost: Self.cost)
      }
      #expect(error?.code == .notFound)
    }

    @Test func `the default cost is stored as it is`() async throws {
      let ledger = try await ledger()
      try await ledger.set(password: "correct horse", of: "ada")
      #expect(try await verifier(ledger).contains("\"n\":32768"))
      #expect(try await ledger.person(handle: "ada", password: "correct horse") != nil)
    }

    private func verifier(_ ledger: Ledger) async throws -> String {
      try await ledger.database.read { db in try String.fetchOne(db, sql: "SELECT verifier FROM people") ?? "" }
    }
  }
#endif
