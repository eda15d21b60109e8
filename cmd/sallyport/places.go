package main

import (
	"fmt"

	"github.com/sallyport/sallyport/server/place"
)

// places opens what names places; nil where nothing does.
func (c Config) places() (*place.Database, error) {
	if c.GeoDatabase == "" {
		return nil, nil
	}
	places, err := place.Open(c.GeoDatabase)
	if err != nil {
		return nil, fmt.Errorf("geo.database: %w", err)
	}
	return places, nil
}

func (f *findings) places(config Config) {
	places, err := config.places()
	switch {
	case err != nil:
		f.add(broken, "places", "%v", err)
	case places == nil:
		f.add(fine, "places", "are not named (geo.database)")
	default:
		f.add(fine, "places", "are named by %s, made on %s", config.GeoDatabase, places.Built().Format("2006-01-02"))
	}
}
