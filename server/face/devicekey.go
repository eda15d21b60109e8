package face

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/gofiber/contrib/websocket"
	"github.com/sallyport/sallyport/models"
)

// The tags that keep a signature for one thing from serving for another.
const (
	openTag   = "sallyport face capture open v1"
	framesTag = "sallyport face capture frames v1"
)

// signer is the key at the camera's end: one of the account's, or (ID empty) a
// new one that an enrolment would register.
type signer struct {
	ID models.ID `json:"id,omitempty"`
	models.BrowserKey
}

type handshake struct {
	Thumbprint string `json:"thumbprint"` // of a key that is registered
	PublicKey  string `json:"public_key"` // base64url SubjectPublicKeyInfo of a new one; enrolment alone
	Signature  string `json:"signature"`  // base64url, over the challenge
}

// authenticate reads the browser's first message, before any picture is looked
// at (NIST SP 800-63B-4 section 3.2.3: the endpoint is authenticated first). It
// is nil for a browser without a key, where the policy lets it in.
func (s *sitting) authenticate(ctx context.Context) (*signer, error) {
	text, err := s.read(websocket.TextMessage, maxHandshake)
	if err != nil {
		return nil, err
	}
	var hello handshake
	if err := json.Unmarshal(text, &hello); err != nil {
		return nil, models.Invalid("", "syntax", "begin with a JSON object")
	}
	if hello.Thumbprint == "" && hello.PublicKey == "" {
		if s.policy.Face.RequireDeviceKey {
			return nil, noDeviceKey()
		}
		return nil, nil
	}
	key, err := s.findKey(ctx, hello)
	if err != nil {
		return nil, err
	}
	statement := s.h.statement(s.challenge, *key)
	statement[0] = openTag
	if !key.Verify(append(statement, s.data.Nonce), hello.Signature) {
		return nil, badSignature()
	}
	return key, nil
}

func (s *sitting) findKey(ctx context.Context, hello handshake) (*signer, error) {
	if hello.Thumbprint == "" {
		if s.challenge.Purpose == purposeVerify {
			return nil, noDeviceKey()
		}
		key, err := models.ReadBrowserKey(hello.PublicKey)
		return &signer{BrowserKey: key}, err
	}
	keys, err := s.h.Store.DeviceKeys(ctx, s.session.User.ID)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		if k.Thumbprint == hello.Thumbprint {
			return &signer{k.ID, models.BrowserKey{PublicKey: k.PublicKey, Thumbprint: k.Thumbprint}}, nil
		}
	}
	return nil, noDeviceKey()
}

// statement is what a key signs beside the nonce or the frames: where, for whom,
// for what and by which key. A line each.
func (h *Handlers) statement(c models.Challenge, key signer) []string {
	return []string{framesTag, h.Origin, models.SubjectOf(c.UserID), string(c.SessionID), c.Purpose, string(c.ID), key.Thumbprint}
}

// signed holds a capture to the key that opened it: the signature covers every
// frame in order.
func (k signer) signed(statement []string, signature string, frames [][]byte) error {
	for _, sum := range frames {
		statement = append(statement, hex.EncodeToString(sum))
	}
	if !k.Verify(statement, signature) {
		return badSignature()
	}
	return nil
}

// record is the row of a key; a new one gets its id now.
func (k signer) record(name string, now time.Time) models.DeviceKey {
	id := k.ID
	if id == "" {
		id = models.NewID(now)
	}
	return models.DeviceKey{ID: id, Name: name, PublicKey: k.PublicKey, Thumbprint: k.Thumbprint, CreatedAt: now, LastUsedAt: now}
}

func badSignature() error {
	return &models.Error{Code: models.CodeFactorRejected, Reason: "device_key", Message: "this browser's key did not sign these pictures: reload the page and try again"}
}

func noDeviceKey() error {
	return &models.Error{
		Code: models.CodeConflict, Reason: "device_key",
		Message: "this browser isn't one that you use your face with: use another way, then add it on your security page",
	}
}
