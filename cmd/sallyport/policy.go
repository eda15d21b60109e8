package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/policy"
	"go.yaml.in/yaml/v3"
)

// policyDefaults are for the net that a policy names, or the one that is installed
// if its threshold was measured, or the published one. A threshold that nobody
// measured with that net and metric is left for the policy to name.
func policyDefaults(config Config) policy.Defaults {
	installed := biometrics.ModelDlibV1
	if manifest, err := config.manifest(); err == nil {
		if net, err := biometrics.FindNet(manifest.Model); err == nil && net.Threshold > 0 {
			installed = manifest.Model
		}
	}
	return func(metric, model string) models.Policy {
		p := models.DefaultPolicy(cmp.Or(model, installed))
		net, err := biometrics.FindNet(p.Face.Model)
		if err != nil {
			net = biometrics.Net{CohortSize: p.Face.Cohort.Size, Neighbours: p.Face.Cohort.Neighbours}
		}
		p.Face.Threshold, p.Face.Cohort.Size, p.Face.Cohort.Neighbours = net.Threshold, net.CohortSize, net.Neighbours
		if metric == biometrics.MetricNormalized {
			p.Face.Threshold = 0
		}
		return p
	}
}

func readPolicy(config Config) (models.Policy, error) {
	defaults := policyDefaults(config)
	if config.PolicyFile == "" {
		return defaults("", ""), nil
	}
	document, err := os.ReadFile(config.PolicyFile)
	if err != nil {
		return defaults("", ""), fmt.Errorf("policy.file: %v", err)
	}
	return policy.Parse(config.PolicyFile, document, defaults, botJudge(config), forwardJudge(config))
}

type policyCheckCommand struct {
	File string `arg:"" optional:"" help:"Policy file; without it the one that the configuration names." type:"path"`
}

// Run checks a policy file, holds its face threshold to the last evaluation, and
// looks whether there is a cohort that serves it.
func (p policyCheckCommand) Run(ctx context.Context, c *cli, out *os.File) error {
	found, err := p.read(c)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "the policy is good: version %s\n", found.Version())
	config, _ := loadConfig(c.Config, environment()) // read has told what is wrong with it, where it matters
	serves, warnings := cohortFindings(ctx, config, found)
	if serves != "" {
		fmt.Fprintln(out, serves)
	}
	for _, warning := range slices.Concat(netWarnings(config, found), faceWarnings(config, found), warnings) {
		fmt.Fprintln(out, "warning: "+warning)
	}
	return nil
}

func (p policyCheckCommand) read(c *cli) (models.Policy, error) {
	if p.File != "" {
		// A policy can be checked where no server is configured.
		config, _ := loadConfig(c.Config, environment())
		config.PolicyFile = p.File
		return readPolicy(config)
	}
	config, err := c.configuration()
	if err != nil {
		return models.Policy{}, err
	}
	return readPolicy(config)
}

type policyShowCommand struct {
	policyCheckCommand
	Defaults bool `help:"Print the defaults, to begin a policy file with."`
}

// Run prints the whole policy, defaults included, as a file that would give it.
func (p policyShowCommand) Run(c *cli, out *os.File) error {
	var found models.Policy
	var err error
	if p.Defaults {
		found = models.DefaultPolicy("")
		fmt.Fprintln(out, "# face.model is left out: its default follows the net that is installed. Whoever tunes face.threshold names the net.")
	} else {
		if found, err = p.read(c); err != nil {
			return err
		}
		fmt.Fprintf(out, "# version %s\n", found.Version())
	}
	enc := yaml.NewEncoder(out)
	enc.SetIndent(2)
	if err := enc.Encode(found); err != nil {
		return err
	}
	return enc.Close()
}
