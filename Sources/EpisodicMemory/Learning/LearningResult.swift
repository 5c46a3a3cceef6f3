public import Learning

/// What a learning found, and what it saw.
public struct LearningResult: Sendable, Hashable {
  /// What was found, the most certain first; symptoms and contested patterns are among them.
  public var patterns: [LearnedPattern]
  /// What was looked at, the null's result, and why nothing or not more was found.
  public var report: LearningReport
  /// Patterns of an earlier learning that were not found again.
  public var forgotten: Int
  /// What advice did, by the episodes from which it was held back at random; `nil` if it never was.
  public var experiment: AdviceExperiment?

  /// A result; for doubles in tests.
  public init(
    patterns: [LearnedPattern], report: LearningReport, forgotten: Int = 0, experiment: AdviceExperiment? = nil
  ) {
    (self.patterns, self.report) = (patterns, report)
    (self.forgotten, self.experiment) = (forgotten, experiment)
  }

  /// As `episodic learn --json` shows it.
  public var json: JSON {
    var members: JSON.Object = [
      "patterns": .array(patterns.map(\.jsonWithKey)), "report": report.json, "forgotten": .integer(Int64(forgotten)),
    ]
    members["experiment"] = experiment?.json
    return .object(members)
  }
}

/// Finished episodes to which advice applied, and of which chance decided whether they were shown it.
public struct AdviceExperiment: Sendable, Hashable {
  /// Episodes that were shown it.
  public var shown: Int
  /// Those of them that were completed.
  public var shownSuccesses: Int
  /// Episodes that were not.
  public var heldBack: Int
  /// Those of them that were completed.
  public var heldBackSuccesses: Int

  package init(shown: Int, shownSuccesses: Int, heldBack: Int, heldBackSuccesses: Int) {
    (self.shown, self.shownSuccesses) = (shown, shownSuccesses)
    (self.heldBack, self.heldBackSuccesses) = (heldBack, heldBackSuccesses)
  }

  /// Success rate with advice over that without; `nil` as long as either is not known, or nothing succeeds without.
  public var lift: Double? {
    guard shown > 0, heldBack > 0, heldBackSuccesses > 0 else { return nil }
    return Double(shownSuccesses) / Double(shown) / (Double(heldBackSuccesses) / Double(heldBack))
  }

  var json: JSON {
    var members: JSON.Object = [
      "shown": .integer(Int64(shown)), "shown_successes": .integer(Int64(shownSuccesses)),
      "held_back": .integer(Int64(heldBack)), "held_back_successes": .integer(Int64(heldBackSuccesses)),
    ]
    members["lift"] = lift.map { JSON(rounded: $0) }
    return .object(members)
  }
}

/// What past runs say to a run that is still going, after its last step.
public struct Advice: Sendable, Hashable {
  /// The episode that it is for.
  public var episode: Episode.ID
  /// The pattern that applies.
  public var pattern: Pattern.ID
  /// Steps that the episode had.
  public var step: Int
  /// Who did the episode.
  public var agent: String
  /// What speaks for it, over all agents, and when not to use it: `reversed`, `grade`.
  public var learned: LearnedPattern

  /// What the agent's own runs say.
  public var own: LearnedPattern.Evidence {
    learned.byAgent[agent] ?? LearnedPattern.Evidence(runs: 0, observed: 0, expected: 0)
  }

  /// In one line: what to do or avoid, how often it went well and how often it would have been expected to.
  public var text: String {
    let (evidence, key) = (learned.evidence, learned.key)
    let what = key.kind == .loop ? "\(key.then)" : "\(learned.direction == .prefer ? "do" : "avoid"): \(key.then)"
    return
      "\(what) (\(evidence.observed) of \(evidence.runs) runs succeeded, \(Int(evidence.expected.rounded())) expected; \(learned.tasks) tasks, \(learned.grade.rawValue))"
  }

  /// As `episodic advise --json` shows it.
  public var json: JSON {
    [
      "episode": .string(episode.rawValue), "pattern": .string(pattern.rawValue), "step": .integer(Int64(step)),
      "agent": .string(agent), "own": own.json, "text": .string(text), "learned": learned.jsonWithKey,
    ]
  }
}

/// What a learned pattern rests on.
public struct PatternExplanation: Sendable, Hashable {
  /// Occurrences of one agent at one step, in the pattern's domain.
  public struct Cell: Sendable, Hashable {
    /// Who did them.
    public var agent: String
    /// At which step the pattern ended, from 1.
    public var step: Int
    /// Distinct tasks.
    public var tasks: Int
    /// Occurrences, successes and what was expected.
    public var evidence: LearnedPattern.Evidence
  }

  /// The pattern with what is known of it.
  public var learned: LearnedPattern
  /// By agent, then step.
  public var cells: [Cell]
  /// Occurrences in all other domains together.
  public var elsewhere: LearnedPattern.Evidence
  /// Episodes of the domain that went as the pattern says, the latest first.
  public var examples: [Episode.ID]
  /// Episodes of the domain that did not, the latest first.
  public var counterexamples: [Episode.ID]
  /// The successes beyond what was expected that shuffles of whole tasks had, in order; beside those observed.
  public var shuffles: [Double]
  /// The successes beyond what was expected, of the other things done in the situation too.
  public var observed: Double

  /// As `episodic patterns --explain ID --json` shows it.
  public var json: JSON {
    [
      "learned": learned.jsonWithKey,
      "cells": .array(
        cells.map { cell in
          [
            "agent": .string(cell.agent), "step": .integer(Int64(cell.step)), "tasks": .integer(Int64(cell.tasks)),
            "evidence": cell.evidence.json,
          ]
        }), "elsewhere": elsewhere.json, "examples": .array(examples.map { .string($0.rawValue) }),
      "counterexamples": .array(counterexamples.map { .string($0.rawValue) }),
      "shuffles": .array(shuffles.map { JSON(rounded: $0) }), "observed": JSON(rounded: observed),
    ]
  }
}
