package ingester

// BlockOf is blockOf.
var BlockOf = blockOf
