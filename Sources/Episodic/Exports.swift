@_exported public import AgentLedger
@_exported public import EpisodicMemory
@_exported public import Interchange
// The metric of an embedding space is the one word of the mechanism that callers use.
@_exported public import enum Vectors.Metric
