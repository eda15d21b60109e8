package main

import (
	"fmt"
	"os"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/policy"
	"go.yaml.in/yaml/v3"
)

// defaultPolicy is for the face model that is installed. Where none is, the
// published one is named: then face is unavailable, whatever the policy says.
func defaultPolicy(config Config) models.Policy {
	model := biometrics.ModelDlibV1
	if manifest, err := config.manifest(); err == nil && knownThreshold(manifest.Model) {
		model = manifest.Model
	}
	return models.DefaultPolicy(model)
}

// knownThreshold tells whether the default threshold was measured with a model.
func knownThreshold(model string) bool {
	return model == biometrics.ModelDlibV1 || model == biometrics.ModelDlibV1Q8
}

func readPolicy(config Config) (models.Policy, error) {
	defaults := defaultPolicy(config)
	if config.PolicyFile == "" {
		return defaults, nil
	}
	document, err := os.ReadFile(config.PolicyFile)
	if err != nil {
		return defaults, fmt.Errorf("policy.file: %v", err)
	}
	return policy.Parse(config.PolicyFile, document, defaults)
}

type policyCheckCommand struct {
	File string `arg:"" optional:"" help:"Policy file; without it the one that the configuration names." type:"path"`
}

// Run checks a policy file.
func (p policyCheckCommand) Run(c *cli, out *os.File) error {
	found, err := p.read(c)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "the policy is good: version %s\n", found.Version())
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
