// Package breach tells whether a password is known from a leak: by asking Have I
// Been Pwned for a range of hashes, or by a Bloom filter in a file.
//
// Lists of leaked passwords hold SHA-1 hashes of UTF-8 bytes. SHA-1 is the name
// by which they are listed and protects nothing here.
package breach
