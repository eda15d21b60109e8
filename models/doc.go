// Package models holds what every part of Sallyport speaks of: ids, coded
// errors, the policy, sessions, attempts and the factors of an account. It is
// the domain, not a bag of rows: the rules that need no clock and no store
// live beside the types they judge.
//
// It imports the standard library alone. SQL is in models/postgres, the state
// machine in models/mfa, encryption at rest in models/seal.
package models
