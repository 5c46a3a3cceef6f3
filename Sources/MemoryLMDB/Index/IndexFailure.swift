import EpisodicMemory
import LMDB

/// Why a step of the index could not be taken: because of itself, or because of the primary.
enum IndexFailure: Error {
  case index(LMDBError)
  case primary(MemoryError)
}

func lmdb<Value: ~Copyable>(_ body: () throws(LMDBError) -> Value) throws(IndexFailure) -> Value {
  do throws(LMDBError) { return try body() } catch { throw .index(error) }
}

func primary<Value: ~Copyable>(_ body: () throws(MemoryError) -> Value) throws(IndexFailure) -> Value {
  do throws(MemoryError) { return try body() } catch { throw .primary(error) }
}
