package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/postgres"
	"go.yaml.in/yaml/v3"
)

//go:embed clients.example.yaml
var exampleClients string

// clientsFile is the file that keeps apps.
type clientsFile struct {
	Clients []fileClient `yaml:"clients"`
}

// fileClient is an app of the file. Its secrets are there by their SHA-256 alone, so that
// the file can be kept where others read it.
type fileClient struct {
	models.App   `yaml:",inline"`
	SecretHashes []string `yaml:"secret_sha256"`
}

// readClients reads the file and says everything that is wrong with it.
func readClients(path string) ([]postgres.FileApp, error) {
	document, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parseClients(path, document)
}

func parseClients(path string, document []byte) ([]postgres.FileApp, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(document))
	decoder.KnownFields(true)
	var file clientsFile
	if err := decoder.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var apps []postgres.FileApp
	var wrong []error
	seen := map[string]bool{}
	for i, client := range file.Clients {
		what := fmt.Sprintf("%s: client %d (%s)", path, i+1, client.ID)
		app := postgres.FileApp{App: client.WithDefaults()}
		if problems := app.Check(); len(problems) > 0 {
			wrong = append(wrong, problemsOf(what, problems))
		}
		if seen[client.ID] {
			wrong = append(wrong, fmt.Errorf("%s: is there twice", what))
		}
		seen[client.ID] = true
		for _, text := range client.SecretHashes {
			hash, err := models.ParseTokenHash(text)
			if err != nil {
				wrong = append(wrong, fmt.Errorf("%s: secret_sha256 %w", what, err))
			}
			app.Secrets = append(app.Secrets, hash)
		}
		needs := app.AuthMethod == models.AppAuthBasic || app.AuthMethod == models.AppAuthPost
		if needs != (len(app.Secrets) > 0) {
			wrong = append(wrong, fmt.Errorf("%s: secret_sha256 and an auth_method by a secret go together", what))
		}
		apps = append(apps, app)
	}
	return apps, errors.Join(wrong...)
}

// syncClients makes the records the same as the file that the configuration names.
func syncClients(ctx context.Context, config Config, store *postgres.Store) error {
	if config.ClientsFile == "" {
		return nil
	}
	apps, err := readClients(config.ClientsFile)
	if err != nil {
		return fmt.Errorf("clients.file: %w", err)
	}
	return store.SyncApps(ctx, apps)
}

// rereadClients reads the file again at each SIGHUP, until ctx ends. A file that is
// wrong changes nothing.
func rereadClients(ctx context.Context, config Config, store *postgres.Store, log *slog.Logger) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangups:
			if err := syncClients(ctx, config, store); err != nil {
				log.Error("the apps stay as they were", "error", err)
				continue
			}
			log.Info("the file of apps was read again")
		}
	}
}

type clientApplyCommand struct {
	File string `arg:"" help:"The file." type:"existingfile"`
}

// Run makes the records the same as the file.
func (k clientApplyCommand) Run(ctx context.Context, c *cli, out *os.File) error {
	apps, err := readClients(k.File)
	if err != nil {
		return err
	}
	return withStore(ctx, c, func(store *postgres.Store) error {
		if err := store.SyncApps(ctx, apps); err != nil {
			return err
		}
		fmt.Fprintf(out, "%d apps are kept by %s\n", len(apps), k.File)
		return nil
	})
}

type clientExampleCommand struct{}

// Run prints an example.
func (clientExampleCommand) Run(out *os.File) error {
	_, err := fmt.Fprint(out, exampleClients)
	return err
}
