package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/sallyport/sallyport/biometrics/evaluate"
	"github.com/sallyport/sallyport/models"
)

type faceReferenceCommands struct {
	Import referenceImportCommand `cmd:"" help:"Put labelled people in place of the reference set of the installed net."`
	Info   referenceInfoCommand   `cmd:"" help:"Count the people of the reference set by group."`
}

type referenceImportCommand struct {
	Files []string `arg:"" name:"file" help:"File of labelled descriptors (JSONL), made with the installed net. group=FILE labels all of its people."`
}

// Run reads every file before it writes any: a bad line leaves the old set.
func (i referenceImportCommand) Run(ctx context.Context, c *cli, out *os.File) error {
	set, err := i.read()
	if err != nil {
		return err
	}
	return withFaceRecords(ctx, c, func(r faceRecords) error {
		if err := r.store.ReplaceReferences(ctx, r.model.Key(), set); err != nil {
			return err
		}
		fmt.Fprintf(out, "the reference set for %s holds %d descriptors\n", r.model.Name, len(set))
		return nil
	})
}

func (i referenceImportCommand) read() ([]models.FaceReference, error) {
	var all []evaluate.Subject
	for _, input := range i.Files {
		group, path := splitLabel(input)
		subjects, err := readDescriptors(path)
		if err != nil {
			return nil, err
		}
		for n := range subjects {
			subjects[n].Group = group
		}
		if all, err = evaluate.Merge(all, subjects); err != nil {
			return nil, err
		}
	}
	var set []models.FaceReference
	for _, s := range all {
		for _, photo := range s.Photos {
			raw, err := photo[0].MarshalBinary()
			if err != nil {
				return nil, err
			}
			set = append(set, models.FaceReference{Subject: s.ID, People: s.Group, Descriptor: raw})
		}
	}
	return set, nil
}

type referenceInfoCommand struct{}

// Run counts.
func (referenceInfoCommand) Run(ctx context.Context, c *cli, out *os.File) error {
	return withFaceRecords(ctx, c, func(r faceRecords) error {
		set, err := r.store.References(ctx, r.model.Key())
		if err != nil {
			return err
		}
		if len(set) == 0 {
			fmt.Fprintf(out, "there is no reference set for %s: sallyport face reference import\n", r.model.Name)
			return nil
		}
		type count struct{ people, descriptors int }
		groups := map[string]count{}
		var names []string
		last := ""
		for _, one := range set { // sorted by subject
			group, known := groups[one.People]
			if !known {
				names = append(names, one.People)
			}
			if one.Subject != last {
				group.people++
				last = one.Subject
			}
			group.descriptors++
			groups[one.People] = group
		}
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintf(w, "group\tpeople\tdescriptors\n")
		for _, name := range names {
			fmt.Fprintf(w, "%s\t%d\t%d\n", cmp.Or(name, "-"), groups[name].people, groups[name].descriptors)
		}
		return w.Flush()
	})
}
