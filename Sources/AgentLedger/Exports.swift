// The interface of a ledger is made of these values: whoever sees it sees them.
@_exported public import StoreValues
