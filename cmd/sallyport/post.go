package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/sallyport/sallyport/server/mail"
)

// openPost opens where letters go: the mail server, or the viewer on a listener
// of its own, until it is stopped. It gives nil where there is no mail.
func openPost(ctx context.Context, config Config, log *slog.Logger) (post poster, stop func(), err error) {
	if config.MailServer.Host != "" {
		return mail.New(config.MailServer, config.MailFrom), func() {}, nil
	}
	if config.MailViewer == "" {
		return nil, func() {}, nil
	}
	viewer, err := mail.NewViewer(config.MailFrom, time.Now)
	if err != nil {
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
