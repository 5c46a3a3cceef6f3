@testable import EpisodicMemory
