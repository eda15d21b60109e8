package account

import (
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

// exportedDossier is what an export holds beside factors and sessions.
type exportedDossier struct {
	Language          string             `json:"language"`
	ImportedAt        *time.Time         `json:"imported_at"`
	ExternalID        string             `json:"external_id"`
	PasswordChangedAt *time.Time         `json:"password_changed_at"`
	FrozenUntil       *time.Time         `json:"frozen_until"`
	DeletionDueAt     *time.Time         `json:"deletion_due_at"`
	SecondEmail       string             `json:"second_email"`
	FormerEmails      []exportedEmail    `json:"former_emails"`
	KnownDevices      []exportedDevice   `json:"known_devices"`
	Failures          []exportedFailures `json:"failures"`
	Letters           []exportedLetter   `json:"letters"`
	Messages          []exportedMessage  `json:"messages"`
	Events            []eventBody        `json:"events"`
}

// exportedEmail is an address that the account had, for as long as it is remembered.
type exportedEmail struct {
	Email     string    `json:"email"`
	ChangedAt time.Time `json:"changed_at"`
}

type exportedDevice struct {
	ID         models.ID `json:"id"`
	UserAgent  string    `json:"user_agent"`
	CreatedAt  time.Time `json:"created_at"`
	LastUsedAt time.Time `json:"last_used_at"`
}

// exportedFailures are failures in a row of a factor.
type exportedFailures struct {
	Factor     models.Factor `json:"factor"`
	Failures   int           `json:"failures"`
	DisabledAt *time.Time    `json:"disabled_at"`
}

type exportedLetter struct {
	Kind      models.NoticeKind `json:"kind"`
	Address   string            `json:"address"`
	CreatedAt time.Time         `json:"created_at"`
	SentAt    *time.Time        `json:"sent_at"`
}

type exportedMessage struct {
	At   time.Time `json:"at"`
	Body string    `json:"body"`
}

func (h *Handlers) dossier(c *fiber.Ctx) (exportedDossier, error) {
	ctx, s := c.UserContext(), web.Session(c)
	found, err := h.Store.Dossier(ctx, s.User.ID)
	if err != nil {
		return exportedDossier{}, err
	}
	d := exportedDossier{
		Language: found.Language, ImportedAt: found.ImportedAt, ExternalID: found.ExternalID, PasswordChangedAt: found.PasswordChangedAt,
		DeletionDueAt: found.DeletionDueAt,
		FormerEmails:  []exportedEmail{}, KnownDevices: []exportedDevice{}, Failures: []exportedFailures{}, Letters: []exportedLetter{}, Messages: []exportedMessage{}, Events: []eventBody{},
	}
	if !found.Freeze.Until.IsZero() {
		d.FrozenUntil = &found.Freeze.Until
	}
	addresses, err := h.Store.Addresses(ctx, s.User.ID)
	if err != nil {
		return d, err
	}
	d.SecondEmail = addresses.Second
	for _, f := range addresses.Former {
		d.FormerEmails = append(d.FormerEmails, exportedEmail(f))
	}
	for _, k := range found.KnownDevices {
		d.KnownDevices = append(d.KnownDevices, exportedDevice(k))
	}
	for _, f := range found.Failures {
		d.Failures = append(d.Failures, exportedFailures(f))
	}
	for _, l := range found.Letters {
		d.Letters = append(d.Letters, exportedLetter(l))
	}
	for _, m := range found.Messages {
		d.Messages = append(d.Messages, exportedMessage{m.At, m.Body})
	}
	var before models.ID
	for {
		events, err := h.Store.Events(ctx, s.User.ID, before, eventsInBulk)
		if err != nil {
			return d, err
		}
		for _, e := range events {
			d.Events = append(d.Events, newEvent(s, e))
			before = e.ID
		}
		if len(events) < eventsInBulk {
			return d, nil
		}
	}
}

// eventsInBulk is how many events an export reads at once.
const eventsInBulk = 1000
