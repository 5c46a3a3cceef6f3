import Foundation
import Testing

@Suite struct `What a question says of time, its neighbours and its tokens` {
  let episodic: CommandLineTool

  init() throws {
    episodic = try CommandLineTool()
    let lines = (1...6).map { day in
      """
      {"id":"d\(day)","task_type":"dialogue","domain":"web","session":"talk","context":"we talked about music, part \(day)",\
      "status":"completed","success_rate":1,"created_at":"2023-05-0\(day)T10:00:00Z","completed_at":"2023-05-0\(day)T10:00:20Z",\
      "metadata":{},"steps":[{"step_number":1,"action":"listen","result":"\(String(repeating: "la ", count: 400))","success":true,\
      "timestamp":"2023-05-0\(day)T10:00:00Z"}]}
      """
    }
    let result = try episodic("import", "-", input: lines.joined(separator: "\n") + "\n")
    #expect(result.status == 0, "\(result)")
  }

  private func results(_ arguments: String...) throws -> [[String: Any]] {
    let result = try episodic.run(["recall"] + arguments + ["--domain", "web", "--json"])
    #expect(result.status == 0, "\(result)")
    return try #require(result.json?["results"] as? [[String: Any]])
  }

  @Test(arguments: [
    ["--at", "31.01.2026"], ["--at", ""], ["--zone", "Nowhere/Town"], ["--zone", "+99:00"], ["--zone", ""],
    ["--neighbors", "11"], ["--neighbors", "-1"], ["--tokens", "0"], ["--tokens", "1", "--json"],
    ["--tokens", "200", "--prompt"],
  ]) func `a bad value is refused, with the remedy`(_ options: [String]) throws {
    let result = try episodic.run(["recall", "music", "--domain", "web"] + options)
    #expect(result.status == 2 && result.output.isEmpty && result.errors.contains(options[0]), "\(result)")
  }

  @Test(arguments: [
    ["--at", "2023-05-03", "--zone", "Europe/Berlin"], ["--at", "2023-05-03T12:00:00Z", "--zone", "UTC"],
    ["--at", "7d", "--zone", "+05:30"], ["--at", "yesterday", "--zone", "-0330"], ["--zone", "+2"],
  ]) func `times and zones have the forms that people write`(_ options: [String]) throws {
    let result = try episodic.run(["recall", "music yesterday", "--domain", "web"] + options)
    #expect(result.status == 0, "\(result)")
  }

  @Test func `neighbours are shown before and after each hit`() throws {
    let hits = try results("part 3", "--limit", "6", "--neighbors", "1")
    let third = try #require(hits.first { $0["id"] as? String == "d3" })
    let neighbors = try #require(third["neighbors"] as? [String: [[String: Any]]])
    #expect(neighbors["before"]?.map { $0["id"] as? String } == ["d2"])
    #expect(neighbors["after"]?.map { $0["id"] as? String } == ["d4"])
    #expect(try results("part 3", "--limit", "1").allSatisfy { $0["neighbors"] == nil })
    for form in [[], ["--full"], ["--prompt"]] {
      let shown = try episodic.run(["recall", "part 3", "--domain", "web", "--limit", "6", "--neighbors", "1"] + form)
      #expect(shown.status == 0 && shown.output.contains("part 4"), "\(shown)")
    }
  }

  @Test func `--tokens shortens what is shown and counts what is left out`() throws {
    let result = try episodic("recall", "music", "--domain", "web", "--json", "--tokens", "300")
    let results = try #require(result.json?["results"] as? [[String: Any]])
    let omitted = try #require(result.json?["omitted"] as? [String: Int])
    let tokens = try #require(result.json?["tokens"] as? Int)
    #expect((3...5).contains(results.count) && omitted["hits"] == 6 - results.count, "\(result)")
    #expect(tokens <= 300 && (omitted["tokens"] ?? 0) > 300, "\(result)")
    #expect(results.reduce(0) { $0 + ($1["tokens"] as? Int ?? 0) } == tokens)
    let text = try episodic("recall", "music", "--domain", "web", "--tokens", "300")
    #expect(text.status == 0 && text.errors.contains("left out: \(6 - results.count) hit"), "\(text)")
    let all = try episodic("recall", "music", "--domain", "web", "--full", "--tokens", "10000000")
    #expect(all.status == 0 && all.errors.isEmpty, "\(all)")
  }

  @Test func `a word that only begins others is named with how to find them`() throws {
    let begun = try episodic(
      "begin", "--task", "analysis", "--domain", "web", "--context", "the xylophonist plays music", "--json")
    let id = try #require(begun.json?["id"] as? String, "\(begun)")
    #expect(try episodic("complete", id).status == 0)
    let hint = "no episode has the word \"xylop\"; --prefix xylop would find 1"
    let nothing = try episodic("recall", "Xylop", "--domain", "web")
    #expect(nothing.status == 1 && nothing.errors.contains(hint), "\(nothing)")
    let others = try episodic("recall", "Xylop", "music", "--domain", "web")
    #expect(others.status == 0 && others.errors.contains(hint), "\(others)")
    #expect(try episodic("recall", "--prefix", "xylop", "--domain", "web").status == 0)
    // I8
    let other = try episodic("recall", "Xylop", "--domain", "other")
    #expect(other.status == 1 && !other.errors.contains("--prefix"), "\(other)")
    #expect(try episodic("recall", "music", "--domain", "web").errors.isEmpty)
  }

  @Test func `--explain shows terms, times and signals, and --why-not what became of an episode`() throws {
    let result = try episodic(
      "recall", "music on May 3rd, unheard", "--domain", "web", "--limit", "1", "--explain", "--why-not", "d5",
      "--why-not", "nowhere", "--at", "2023-05-06", "--zone", "UTC")
    #expect(result.status == 0, "\(result)")
    for text in ["no text has: ", "unheard", "time: \"on May 3rd\"", "1. d3", "d5: ", "nowhere: is not there"] {
      #expect(result.output.contains(text), "\(text): \(result)")
    }
    let json = try episodic("recall", "music", "--domain", "web", "--limit", "1", "--json", "--why-not", "d5")
    let explanation = try #require(json.json?["explanation"] as? [String: Any], "\(json)")
    let fate = try #require((explanation["why_not"] as? [[String: Any]])?.first)
    #expect(fate["id"] as? String == "d5" && fate["reason"] as? String != "found", "\(fate)")
    // I8: an episode of another domain is as one that is not there.
    let other = try episodic("recall", "music", "--domain", "other", "--why-not", "d5")
    #expect(other.status == 1 && other.output.contains("d5: is not there"), "\(other)")
    #expect(try episodic("recall", "music", "--domain", "web", "--explain", "--prompt").status == 2)
    #expect(try episodic("recall", "--queries", "-", "--output", "-", "--explain", input: "").status == 2)
  }

  @Test func `a query of a file says when it is asked`() throws {
    let result = try episodic(
      "recall", "--queries", "-", "--output", "-", "--at", "2023-05-04", "--zone", "UTC",
      input: """
        {"id": "1", "text": "music yesterday", "filters": {"domain": "web"}, "at": "2023-05-06T12:00:00Z"}
        {"id": "2", "text": "music yesterday", "filters": {"domain": "web"}}
        """)
    #expect(result.status == 0 && result.output.split(separator: "\n").count == 2, "\(result)")
    let bad = try episodic(
      "recall", "--queries", "-", "--output", "-", input: #"{"id":"q","text":"x","at":"yesterday"}"#)
    #expect(bad.status == 2 && bad.errors.contains("at"), "\(bad)")
  }

  @Test(arguments: ["the of and", "🎉", "AND OR NOT \"*(", "x", "???", "two weeks before", "on 30 February", "in 99999"])
  func `a question of stop words, marks or no time has an answer`(_ question: String) throws {
    let result = try episodic("recall", question, "--domain", "web")
    #expect([0, 1, 2].contains(result.status), "\(result)")
    let file = try episodic(
      "recall", "--queries", "-", "--output", "-",
      input:
        "{\"id\":\"q\",\"text\":\"\(question.replacing("\"", with: "\\\""))\"}\n{\"id\":\"r\",\"text\":\"music\"}\n")
    #expect(file.status == 0 && file.output.split(separator: "\n").count == 2, "\(file)")
  }
}
