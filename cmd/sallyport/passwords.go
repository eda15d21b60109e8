package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/sallyport/sallyport/server/auth"
	"github.com/sallyport/sallyport/server/breach"
)

// breaches is what new passwords are looked up in; nil where they are not.
func (c Config) breaches() (auth.Breaches, error) {
	switch c.Breached {
	case breachedHIBP:
		return breach.NewHIBP(c.HIBPURL), nil
	case breachedFilter:
		filter, err := breach.OpenFilter(c.FilterFile)
		if err != nil {
			return nil, fmt.Errorf("passwords.filter_file: %w", err)
		}
		return filter, nil
	default:
		return nil, nil
	}
}

// passwords looks at what new passwords are looked up in. The filter is read
// whole; nobody is asked over the network.
func (f *findings) passwords(config Config) {
	switch config.Breached {
	case breachedOff:
		f.add(fine, "passwords", "new ones are not looked up among leaked ones (passwords.breached)")
	case breachedHIBP:
		f.add(fine, "passwords", "new ones are looked up at %s, which was not asked now", config.HIBPURL)
	case breachedFilter:
		if config.FilterFile == "" {
			return // told of with the settings
		}
		filter, err := breach.OpenFilter(config.FilterFile)
		if err != nil {
			f.add(broken, "passwords", "passwords.filter_file: %v", err)
			return
		}
		defer filter.Close()
		if err = filter.Verify(); err != nil {
			err = fmt.Errorf("passwords.filter_file: %s %w", config.FilterFile, err)
		}
		f.verdict(err, "passwords", "new ones are looked up in %s: %v", config.FilterFile, filter)
	}
}

type passwordsFilterCommand struct {
	From   string  `help:"List of SHA-1 hashes in hex, one a line, each alone or as HASH:COUNT; - is standard input." required:""`
	Out    string  `help:"The filter's file." required:"" type:"path"`
	Rate   float64 `help:"How many of the passwords that are not on the list may be taken for it." default:"1e-6"`
	Memory int64   `help:"MiB of the filter to fill at a time; a larger one takes another pass over the list." default:"512"`
}

// toldLines is how many bad lines are told one by one.
const toldLines = 100

// Run builds. A bad list leaves the filter that was there.
func (p passwordsFilterCommand) Run(ctx context.Context, out *os.File) error {
	if p.Rate < 1e-12 || p.Rate > 0.1 {
		return fmt.Errorf("--rate must be from 1e-12 to 0.1, is %g", p.Rate)
	}
	if p.Memory < 1 || p.Memory > 1<<20 {
		return fmt.Errorf("--memory must be from 1 to %d, is %d", 1<<20, p.Memory)
	}
	list, err := input(p.From)
	if err != nil {
		return err
	}
	defer list.Close()
	bar, told := newProgress(os.Stderr, "lines", 0), 0
	err = breach.Build{
		Rate: p.Rate, Memory: p.Memory << 20, Read: bar.Add,
		Bad: func(line int, why string) {
			if told++; told <= toldLines {
				fmt.Fprintf(os.Stderr, "line %d %s\n", line, why)
			}
		},
	}.Run(ctx, list, p.Out)
	bar.Close()
	if err != nil {
		return err
	}
	filter, err := breach.OpenFilter(p.Out)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s holds %v\n", p.Out, filter)
	return filter.Close()
}

// input opens a file to read; - is standard input.
func input(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(os.Stdin), nil
	}
	f, err := os.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("there is no file %s", name)
	}
	return f, err
}
