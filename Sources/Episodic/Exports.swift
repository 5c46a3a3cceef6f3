@_exported public import EpisodicMemory
