package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/sallyport/sallyport/server/mail"
	"github.com/sallyport/sallyport/server/place"
)

// openPost opens where letters go: the mail server, or the viewer on a listener of
// its own, until it is stopped. The courier is nil where there is no mail.
func openPost(ctx context.Context, config Config, store mail.Store, places *place.Database, log *slog.Logger) (courier *mail.Courier, stop func(), err error) {
	stop = func() {}
	if !config.mails() {
		return nil, stop, nil
	}
	courier = &mail.Courier{Store: store, Post: mail.New(config.MailServer, config.MailFrom), Place: places.Place}
	if courier.Letters, err = mail.NewLetters(config.SiteName, config.PublicURL); err != nil {
		return nil, nil, err
	}
	if config.MailViewer != "" {
		courier.Post, stop, err = openViewer(ctx, config, log)
	}
	return courier, stop, err
}

func openViewer(ctx context.Context, config Config, log *slog.Logger) (viewer *mail.Viewer, stop func(), err error) {
	if viewer, err = mail.NewViewer(config.MailFrom, time.Now); err != nil {
		return nil, nil, err
	}
	listener, err := net.Listen("tcp", config.MailViewer)
	if err != nil {
		return nil, nil, fmt.Errorf("mail.viewer: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() {
		if err := viewer.Serve(ctx, listener); err != nil {
			log.Warn(err.Error())
		}
	})
	return viewer, func() { cancel(); running.Wait() }, nil
}
