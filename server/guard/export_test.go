package guard

// Meets is how the guard ranks contexts.
var Meets = meets
