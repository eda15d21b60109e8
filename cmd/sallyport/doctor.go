package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/sallyport/sallyport/migrations"
	"github.com/sallyport/sallyport/models/postgres"
)

type doctorCommand struct {
	JSON bool `help:"Print JSON for programs." name:"json"`
}

// Run prints a line for each finding. Its error, by which the program exits with
// 1, says how many things are broken; warnings are none.
func (d doctorCommand) Run(ctx context.Context, c *cli, out *os.File) error {
	config, problems := loadConfig(c.Config, environment())
	found := examine(ctx, config, problems)
	if d.JSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		if err := enc.Encode(found); err != nil {
			return err
		}
	} else {
		for _, f := range found {
			fmt.Fprintf(out, "%-8s %-14s %s\n", f.State, f.Check, f.Text)
		}
	}
	if n := found.count(broken); n > 0 {
		return fmt.Errorf("broken: %d of %d checks", n, len(found))
	}
	return nil
}

// state is how a check came out.
type state string

const (
	fine    state = "ok"
	warning state = "warning" // works, and could do better or binds whoever runs it
	broken  state = "broken"
)

// finding is one line of the doctor's.
type finding struct {
	Check string `json:"check"`
	State state  `json:"state"`
	Text  string `json:"text"`
}

// findings grow as checks are made.
type findings []finding

// add keeps a finding to one line, whatever an error has to say.
func (f *findings) add(s state, check, format string, args ...any) {
	*f = append(*f, finding{check, s, strings.Join(strings.Fields(fmt.Sprintf(format, args...)), " ")})
}

// verdict adds what is broken, or else the text.
func (f *findings) verdict(err error, check, format string, args ...any) {
	if err != nil {
		f.add(broken, check, "%v", err)
		return
	}
	f.add(fine, check, format, args...)
}

func (f findings) count(s state) int {
	n := 0
	for _, one := range f {
		if one.State == s {
			n++
		}
	}
	return n
}

// examine checks all that it can: what a bad setting stands in the way of is left
// out, since the setting is told of.
func examine(ctx context.Context, config Config, problems []error) findings {
	var f findings
	for _, problem := range problems {
		f.add(broken, "configuration", "%v", problem)
	}
	if len(problems) == 0 {
		f.add(fine, "configuration", "every setting can be used")
	}
	if config.KeysSeal != "" && config.KeysDigest != "" {
		_, err := config.sealer()
		f.verdict(err, "keys", "the sealing keys and the digest key open")
	}
	if config.DatabaseURL != "" {
		f.database(ctx, config)
	}
	policy, err := readPolicy(config)
	source := config.PolicyFile
	if source == "" {
		source = "built in"
	}
	f.verdict(err, "policy", "%s, version %s", source, policy.Version())
	f.passwords(config)
	f.places(config)
	f.apps(config)
	if config.FaceDetector != "" {
		f.face(ctx, config, policy)
	}
	return f
}

// databaseWithin is how long the database may take to answer.
const databaseWithin = 5 * time.Second

func (f *findings) database(ctx context.Context, config Config) {
	ctx, cancel := context.WithTimeout(ctx, databaseWithin)
	defer cancel()
	pool, err := openPool(ctx, config)
	if err != nil {
		f.add(broken, "database", "%v", err)
		return
	}
	defer pool.Close()
	conn, err := pool.Acquire(ctx)
	if err != nil {
		f.add(broken, "database", "database.url: %v", err)
		return
	}
	version := conn.Conn().PgConn().ParameterStatus("server_version")
	conn.Release()
	f.add(fine, "database", "answers, PostgreSQL %s", version)
	files, err := migrations.Files.ReadDir(".")
	if err == nil {
		err = postgres.CheckSchema(ctx, pool)
	}
	f.verdict(err, "schema", "version %d, as this program needs it", len(files))
}
