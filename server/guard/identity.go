package guard

import (
	"context"
	"time"
)

// Identity is who asks, and how they proved it.
type Identity struct {
	Subject   string // of the person, a UUID that stays; the client's id where no person is behind a token
	ClientID  string // of the app that a token was given to; "" for a session
	SessionID string // what webhooks and back-channel logout name; "" where no person is behind a token
	ACR       string
	AMR       []string // RFC 8176
	AuthTime  time.Time
	Scopes    []string
	Groups    []string
	ExpiresAt time.Time

	session bool // of Sallyport's own
}

type inContext struct{}

func with(ctx context.Context, who Identity) context.Context {
	return context.WithValue(ctx, inContext{}, who)
}

// From gives who a request is from, once Require let it through.
func From(ctx context.Context) (Identity, bool) {
	who, ok := ctx.Value(inContext{}).(Identity)
	return who, ok
}
