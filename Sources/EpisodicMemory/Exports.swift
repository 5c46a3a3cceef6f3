// The interface of a memory is made of these values: whoever sees it sees them.
@_exported public import StoreValues
// What learning finds is part of it, too.
@_exported public import Learning
