package mail

import (
	"context"
	"errors"

	"github.com/sallyport/sallyport/models"
)

// Store is what a courier needs of the records.
type Store interface {
	Notice(ctx context.Context, id models.ID) (models.Notice, error)
	MintLink(ctx context.Context, n models.Notice, kind models.LinkKind) (string, error)
	NoticeSent(ctx context.Context, id models.ID) error
	GiveUpNotice(ctx context.Context, id models.ID) error
}

// Post takes letters: a mail server, or the viewer.
type Post interface {
	Send(ctx context.Context, m Message) error
}

// Courier writes the letters that wait in the records and hands them to the post.
type Courier struct {
	Store   Store
	Letters *Letters
	Post    Post
	// Place names where an address is, in a language (BCP 47); "" where nobody knows.
	Place func(ip, language string) string
}

// Deliver sends a notice, with tokens that are made for it here. Nothing is done for
// one that was sent already. An error that wraps ErrRefused is for good, and the
// notice is given up; after any other it may be tried again.
func (c Courier) Deliver(ctx context.Context, id models.ID) error {
	notice, err := c.Store.Notice(ctx, id)
	if models.CodeOf(err) == models.CodeNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	notice.Detail.Place = c.Place(notice.Detail.IP, notice.Language)
	tokens := map[models.LinkKind]string{}
	for _, kind := range notice.Kind.Links() {
		token, err := c.Store.MintLink(ctx, notice, kind)
		if models.CodeOf(err) == models.CodeNotFound {
			return c.Store.NoticeSent(ctx, id) // an earlier try arrived after all: its link was used
		}
		if err != nil {
			return err
		}
		tokens[kind] = token
	}
	message, err := c.Letters.Write(notice, tokens)
	if err != nil {
		return err
	}
	switch err := c.Post.Send(ctx, message); {
	case errors.Is(err, ErrRefused):
		return errors.Join(err, c.Store.GiveUpNotice(ctx, id))
	case err != nil:
		return err
	}
	return c.Store.NoticeSent(ctx, id)
}
