// Package evaluate measures a yardstick on labelled people: false match and
// false non-match rates with their bounds, in the terms of ISO/IEC 19795-1.
//
// A genuine comparison is one of a person's probe with the same person's
// template, an impostor comparison (zero effort: nobody tries to look like
// anybody) one with another's. Rates are over comparisons, thin templates and
// pictures in which no face was found are counted apart.
package evaluate
