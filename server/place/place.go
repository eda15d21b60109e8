// Package place says where in the world an address is, in words for people. It
// decides nothing: such databases are wrong often enough.
package place

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"
)

// English is the language that every name is there in.
const English = "en"

// Database is a city database in MaxMind's format (.mmdb) that may be replaced
// while it is used. A nil Database knows no place.
type Database struct {
	path string
	read atomic.Pointer[reading]
}

// reading is a file as it was read once.
type reading struct {
	*maxminddb.Reader
	file os.FileInfo
}

// Open reads the database of a file. The error says what is wrong with it.
func Open(path string) (*Database, error) {
	read, err := open(path)
	if err != nil {
		return nil, err
	}
	d := &Database{path: path}
	d.read.Store(read)
	return d, nil
}

// open reads the file into memory: a mapped one that is cut short in its place
// would end the whole program by a signal.
func open(path string) (*reading, error) {
	before, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	reader, err := maxminddb.OpenBytes(data)
	if err != nil {
		return nil, fmt.Errorf("%s is no database of places: %w", path, err)
	}
	if kind := reader.Metadata.DatabaseType; !strings.Contains(kind, "City") {
		return nil, fmt.Errorf("%s is a database of the type %s, not of cities", path, kind)
	}
	return &reading{reader, before}, nil
}

// Built is when the database in use was made.
func (d *Database) Built() time.Time {
	return time.Unix(int64(d.read.Load().Metadata.BuildEpoch), 0).UTC()
}

// names are what a thing is called, by language (BCP 47).
type names struct {
	Names map[string]string `maxminddb:"names"`
}

func (n names) in(language string) string {
	if name := n.Names[language]; name != "" {
		return name
	}
	return n.Names[English]
}

// Place names the city and country of an address, or the country alone, in a
// language (BCP 47) or else in English. It is "" where nobody knows, and for
// addresses that are nowhere in particular, such as those of a private network.
func (d *Database) Place(ip, language string) string {
	addr, err := netip.ParseAddr(ip)
	if d == nil || err != nil {
		return ""
	}
	if addr = addr.Unmap(); !addr.IsGlobalUnicast() || addr.IsPrivate() {
		return ""
	}
	var found struct {
		City    names `maxminddb:"city"`
		Country names `maxminddb:"country"`
	}
	if d.read.Load().Lookup(addr).Decode(&found) != nil {
		return ""
	}
	city, country := found.City.in(language), found.Country.in(language)
	if city == "" || city == country { // Singapore
		return country
	}
	if country == "" {
		return city
	}
	return city + ", " + country
}

// Watch takes up what is put into the file's place, until ctx ends.
func (d *Database) Watch(ctx context.Context, every time.Duration, log *slog.Logger) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := d.reload(); err != nil {
				log.Warn("the database of places is not the one in the file", "error", err)
			}
		}
	}
}

// reload reads the file again if it is another one. What can't be used leaves
// the database before it in use.
func (d *Database) reload() error {
	now, err := os.Stat(d.path)
	if err != nil {
		return err
	}
	if old := d.read.Load().file; os.SameFile(now, old) && now.ModTime().Equal(old.ModTime()) && now.Size() == old.Size() {
		return nil
	}
	read, err := open(d.path)
	if err != nil {
		return err
	}
	d.read.Store(read)
	return nil
}
