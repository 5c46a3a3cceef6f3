import LMDB

/// A transaction that somebody else holds, so that readers can look up more while they run.
///
/// Good only inside the call that was lent the transaction; nothing that has one may outlive it.
struct LentTransaction: Transaction {
  let handle: TransactionHandle
}
