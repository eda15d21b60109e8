// Package migrations holds the schema as numbered SQL files. They only go
// forward; models/postgres applies them with tern.
package migrations

import "embed"

// Files are the migrations, named NNN_subject.sql.
//
//go:embed *.sql
var Files embed.FS
