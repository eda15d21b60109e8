// Command sallyport is the server and its admin tools.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// cli is the command line.
type cli struct {
	Config string `help:"Configuration file (YAML). Settings named SALLYPORT_* in the environment come before it." short:"c" env:"SALLYPORT_CONFIG" type:"path"`

	Serve   serveCommand   `cmd:"" help:"Run the server."`
	Migrate migrateCommand `cmd:"" help:"Bring the database schema up to date."`
	Doctor  doctorCommand  `cmd:"" help:"Look at everything that the server needs, without a running one, and say what is wrong."`
	Cfg     struct {
		Check configCheckCommand `cmd:"" help:"Read the configuration and say everything that is wrong with it."`
	} `cmd:"" name:"config" help:"Look at the configuration."`
	Policy struct {
		Check policyCheckCommand `cmd:"" help:"Read the policy file and say everything that is wrong with it."`
		Show  policyShowCommand  `cmd:"" help:"Print the policy that would be in force."`
	} `cmd:"" help:"Look at the policy."`
	User struct {
		Import userImportCommand `cmd:"" help:"Bring accounts along from another system, with the password hashes that it made."`
	} `cmd:"" help:"Work on accounts."`
	Client  clientCommands  `cmd:"" help:"Keep the apps that sign people in here (OAuth clients)."`
	Group   groupCommands   `cmd:"" help:"Say who is in which group: apps are told."`
	Admin   adminCommands   `cmd:"" help:"Say who may help people who lost everything they sign in with."`
	Webhook webhookCommands `cmd:"" help:"Say which programs are told what happens at accounts."`
	Events  struct {
		Tail eventsTailCommand `cmd:"" help:"Print what happens at accounts, as webhooks are told it."`
	} `cmd:"" help:"Watch what happens."`
	Passwords struct {
		BuildFilter passwordsFilterCommand `cmd:"" help:"Make the file that new passwords are looked up in, of a list of leaked ones."`
	} `cmd:"" help:"Keep a list of leaked passwords."`
	Face struct {
		Evaluate  faceEvaluateCommand   `cmd:"" help:"Measure how often strangers get in and people are kept out, on labelled photos or descriptors."`
		Cohort    faceCohortCommands    `cmd:"" help:"Build and choose the sample of your own people by which scores are normalised."`
		Reference faceReferenceCommands `cmd:"" help:"Keep the labelled people that a cohort is tried on."`
	} `cmd:"" help:"Measure face matching, and what it is normalised by."`
	Keys struct {
		Generate keysGenerateCommand `cmd:"" help:"Make the keys for sealing and digests, in files that only their owner can read."`
		Rotate   keysRotateCommand   `cmd:"" help:"Have new keys sign tokens or, with --file, add a new primary sealing key. What older ones signed or sealed stays good."`
	} `cmd:"" help:"Make and rotate keys."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "sallyport: "+strings.ReplaceAll(err.Error(), "\n", "\nsallyport: "))
		os.Exit(1)
	}
}

// run is main without the process: what tests call.
func run(ctx context.Context, args []string, out *os.File) error {
	var c cli
	parser, err := kong.New(&c,
		kong.Name("sallyport"),
		kong.Description("The second door for chat and social apps: password first, then a passkey, a TOTP code or a face."),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(out),
		kong.Writers(out, os.Stderr),
	)
	if err != nil {
		return err
	}
	command, err := parser.Parse(args)
	if err != nil {
		return err
	}
	return command.Run(&c)
}

// configuration loads what the command line points to.
func (c *cli) configuration() (Config, error) {
	config, problems := loadConfig(c.Config, environment())
	if len(problems) > 0 {
		return config, errors.Join(problems...)
	}
	return config, nil
}

type configCheckCommand struct{}

// Run checks the configuration and everything it points to.
func (configCheckCommand) Run(c *cli, out *os.File) error {
	config, problems := loadConfig(c.Config, environment())
	// A key that is missing was told of already.
	if config.KeysSeal != "" && config.KeysDigest != "" {
		_, err := config.sealer()
		problems = append(problems, err)
	}
	_, err := readPolicy(config)
	if err := errors.Join(append(problems, err)...); err != nil {
		return err
	}
	fmt.Fprintln(out, "the configuration is good")
	return nil
}
