// The interface of a memory is made of these values: whoever sees it sees them.
@_exported public import StoreValues
