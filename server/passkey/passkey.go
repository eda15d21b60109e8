// Package passkey is WebAuthn: registering passkeys, confirming with one as
// second factor or step-up, and signing in with one alone. Whether a passkey
// verified its user is read from the very assertion, never from the stored
// credential.
package passkey

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

// Store is what this part needs of the records.
type Store interface {
	Passkeys(ctx context.Context, userID models.ID) ([]models.PasskeyRecord, error)
	UserByHandle(ctx context.Context, handle []byte) (models.User, error)
	CreateChallenge(ctx context.Context, c models.Challenge) error
	ConsumeChallenge(ctx context.Context, sessionID models.ID, purpose string, id models.ID) (models.Challenge, error)
	ConsumePreSessionChallenge(ctx context.Context, binding models.TokenHash, purpose string) (models.Challenge, error)
	EnrolPasskey(ctx context.Context, ref models.Ref, p models.PasskeyRecord, decide models.Decide) (models.Session, string, error)
	PassPasskey(ctx context.Context, ref models.Ref, p models.PasskeyRecord, decide models.Decide) (models.Session, string, error)
	OpenSessionByPasskey(ctx context.Context, p models.PasskeyRecord, client models.Client, transport models.Transport, decide models.Decide) (models.Session, string, error)
	RecordClone(ctx context.Context, p models.PasskeyRecord, client models.Client, policyVersion string) error
	RenamePasskey(ctx context.Context, userID, id models.ID, name string) (models.PasskeyRecord, error)
	RemovePasskey(ctx context.Context, ref models.Ref, id models.ID, decide models.Decide) (models.Session, string, error)
}

// Handlers answers the requests of this part.
type Handlers struct {
	*web.Door
	Store Store
	Party *webauthn.WebAuthn
	Apps  Apps
}

// The purposes of a challenge. One that was issued for one purpose serves no
// other.
const (
	purposeEnrol  = "enrol_passkey"
	purposeVerify = "verify_passkey"
	purposeLogin  = "login_passkey"
)

const ceremonyWithin = 5 * time.Minute

// NewParty makes the relying party for a host, its origin and those of apps. A host that
// is an IP address is refused: WebAuthn has no relying party ids of that kind.
func NewParty(siteName, host, origin string, apps Apps) (*webauthn.WebAuthn, error) {
	party, err := webauthn.New(partyConfig(siteName, host, origin, apps))
	if err != nil {
		return nil, fmt.Errorf("no relying party for %q: %v", host, err)
	}
	return party, nil
}

func partyConfig(siteName, host, origin string, apps Apps) *webauthn.Config {
	within := webauthn.TimeoutConfig{Enforce: true, Timeout: ceremonyWithin, TimeoutUVD: ceremonyWithin}
	return &webauthn.Config{
		RPID:                  host,
		RPDisplayName:         siteName,
		RPOrigins:             apps.origins(origin),
		AttestationPreference: protocol.PreferNoAttestation,
		Timeouts:              webauthn.TimeoutsConfig{Login: within, Registration: within},
		// Safari sends appid:false unasked.
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	}
}

// person is an account as the WebAuthn library asks for it.
type person struct {
	user     models.User
	passkeys []webauthn.Credential
}

func (p person) WebAuthnID() []byte                         { return p.user.Handle }
func (p person) WebAuthnName() string                       { return p.user.Label() }
func (p person) WebAuthnDisplayName() string                { return p.user.DisplayName }
func (p person) WebAuthnCredentials() []webauthn.Credential { return p.passkeys }

// document is what the credential column holds: everything the library knows
// of a credential, and the relying party it was made for.
type document struct {
	RPID       string              `json:"rp_id"`
	Credential webauthn.Credential `json:"credential"`
}

// load reads the passkeys that count for an account: not those that are set aside.
func (h *Handlers) load(ctx context.Context, user models.User) (person, []models.PasskeyRecord, error) {
	records, err := h.Store.Passkeys(ctx, user.ID)
	if err != nil {
		return person{}, nil, err
	}
	records = slices.DeleteFunc(records, func(r models.PasskeyRecord) bool { return r.QuarantinedAt != nil })
	p := person{user: user}
	for _, r := range records {
		var doc document
		if err := json.Unmarshal(r.Credential, &doc); err != nil {
			return person{}, nil, fmt.Errorf("stored credential %s can't be read: %v", r.ID, err)
		}
		p.passkeys = append(p.passkeys, doc.Credential)
	}
	return p, records, nil
}

// record writes a credential into the columns it is kept in.
func record(into models.PasskeyRecord, rpID string, credential *webauthn.Credential) (models.PasskeyRecord, error) {
	doc, err := json.Marshal(document{RPID: rpID, Credential: *credential})
	if err != nil {
		return models.PasskeyRecord{}, err
	}
	into.CredentialID = credential.ID
	into.SignCount = credential.Authenticator.SignCount
	into.CloneWarning = credential.Authenticator.CloneWarning
	into.BackupEligible = credential.Flags.BackupEligible
	into.BackupState = credential.Flags.BackupState
	into.AAGUID = credential.Authenticator.AAGUID
	into.Credential = doc
	return into, nil
}

// rejected is the one answer to every assertion that does not hold. Which of
// its parts was wrong is for the log.
func rejected(cause error) error {
	return &models.Error{Code: models.CodeFactorRejected, Message: "this passkey was not accepted: try again, or use another way", Cause: cause}
}
