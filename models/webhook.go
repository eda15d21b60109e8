package models

import (
	"slices"
	"time"
)

// Webhook is an endpoint that is told events.
type Webhook struct {
	ID          ID
	URL         string
	Description string
	Types       []string // empty for all
	CreatedAt   time.Time
	DisabledAt  *time.Time
	Waiting     int // deliveries
	Dead        int
}

// WebhookChange is what of an endpoint becomes another; nil leaves it as it is.
type WebhookChange struct {
	URL         *string
	Description *string
	Types       *[]string
	Disabled    *bool
}

// Check refuses what no endpoint may become. address tells what is wrong with a URL.
func (c WebhookChange) Check(address func(string) error) error {
	if c.URL != nil {
		if len(*c.URL) > 2048 {
			return Invalid("url", "length", "give an address of at most 2048 characters")
		}
		if err := address(*c.URL); err != nil {
			return Invalid("url", "address", "the address "+err.Error())
		}
	}
	if c.Description != nil && len(*c.Description) > 200 {
		return Invalid("description", "length", "describe it in at most 200 characters")
	}
	if c.Types != nil {
		for _, t := range *c.Types {
			if !slices.Contains(EventTypes(), t) {
				return Invalid("types", "unknown", "there is a type that no event is of")
			}
		}
		if len(*c.Types) > len(EventTypes()) {
			return Invalid("types", "length", "name each type once")
		}
	}
	return nil
}

// MaxWebhooks is how many endpoints there may be: each costs every fact a row.
const MaxWebhooks = 20

// SecretOverlap is how long the secret before still signs beside a new one.
const SecretOverlap = 24 * time.Hour

// DeliveryState says where a delivery stands.
type DeliveryState string

// The states.
const (
	DeliveryWaiting   DeliveryState = "waiting"
	DeliveryDelivered DeliveryState = "delivered"
	DeliveryDead      DeliveryState = "dead"
)

// Delivery is one event for one endpoint, as admins see it.
type Delivery struct {
	ID          ID            `json:"id"`
	EventID     ID            `json:"event_id"`
	Type        string        `json:"type"`
	State       DeliveryState `json:"state"`
	Attempts    int           `json:"attempts"`
	CreatedAt   time.Time     `json:"created_at"`
	NextAt      *time.Time    `json:"next_at"` // while it waits
	DeliveredAt *time.Time    `json:"delivered_at"`
	DeadAt      *time.Time    `json:"dead_at"`
	LastStatus  *int          `json:"last_status"` // of HTTP
	LastError   *string       `json:"last_error"`  // one of the words of server/hook
}

// Parcel is a delivery that was taken to be sent.
type Parcel struct {
	ID       ID
	EventID  ID
	URL      string
	Payload  []byte
	Attempt  int       // from 1
	Until    time.Time // nobody else takes it before
	Secrets  [][]byte  // that sign it, the newest first
	Endpoint ID
	UserID   ID // whose lane it is in; "" for none
}

// Outcome is what came of an attempt: delivered, to be tried again, or neither.
type Outcome struct {
	Delivered bool
	Again     time.Duration // until the next attempt; 0 gives up
	Gone      bool          // the endpoint wants nothing any more
	Status    int           // of HTTP; 0 without an answer
	Error     string        // a stable word for why not
}
