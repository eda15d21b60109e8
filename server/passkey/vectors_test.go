package passkey

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/sallyport/sallyport/biometrics/facetest"
	"github.com/sallyport/sallyport/models"
)

// vector is one registration and assertion of the W3C's test vectors (WebAuthn
// Level 3 section 16.1), in hex.
type vector struct {
	ID  string
	Reg struct {
		Challenge         string `json:"challenge"`
		CredentialID      string `json:"credential_id"`
		ClientDataJSON    string `json:"clientDataJSON"`
		AttestationObject string `json:"attestationObject"`
	}
	Auth struct {
		Challenge         string `json:"challenge"`
		AuthenticatorData string `json:"authenticatorData"`
		ClientDataJSON    string `json:"clientDataJSON"`
		Signature         string `json:"signature"`
	}
}

// refusedVectors are those that our relying party does not take, with a word of
// the reason: an algorithm that the library doesn't know, a manufacturer that
// doesn't exist, chains that end in the vectors' own roots.
var refusedVectors = map[string]string{
	"ed448":       "not supported",
	"tpm":         "manufacturer",
	"android-key": "cert chain",
	"apple":       "cert chain",
}

func TestW3CVectors(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join(facetest.Dir(t), "vectors", "webauthn-l3.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []vector }
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) != 15 {
		t.Fatalf("%d vectors, want 15", len(file.Cases))
	}
	accepted := 0
	for _, v := range file.Cases {
		err := play(t, v)
		reason, refuse := expected(v.ID)
		switch {
		case err == nil && refuse:
			t.Errorf("%s: accepted", v.ID)
		case err != nil && !refuse:
			t.Errorf("%s: %v", v.ID, err)
		case err != nil && !strings.Contains(strings.ToLower(err.Error()), reason):
			t.Errorf("%s: refused for another reason than %q: %v", v.ID, reason, err)
		case err == nil:
			accepted++
		}
	}
	if accepted != 11 {
		t.Errorf("%d vectors accepted, want 11", accepted)
	}
}

func expected(id string) (reason string, refuse bool) {
	for name, reason := range refusedVectors {
		if strings.Contains(id, name) {
			return reason, true
		}
	}
	return "", false
}

// play runs a vector through our registration and through the assertion check
// with what registration stored.
func play(t *testing.T, v vector) error {
	config := partyConfig("vectors", "example.org", "https://example.org", Apps{})
	config.RPAllowCrossOrigin = true // some vectors come from an iframe
	config.RPTopOrigins = []string{"https://example.com"}
	party, err := webauthn.New(config)
	if err != nil {
		t.Fatal(err)
	}
	p := person{user: models.User{Handle: []byte("vector")}}
	id := b64(t, v.Reg.CredentialID)
	data := webauthn.SessionData{
		Challenge: b64(t, v.Reg.Challenge), RelyingPartyID: "example.org", UserID: p.user.Handle,
		CredParams: webauthn.CredentialParametersDefault(),
	}
	credential, _, err := register(party, p, data, response(id, map[string]string{
		"clientDataJSON": b64(t, v.Reg.ClientDataJSON), "attestationObject": b64(t, v.Reg.AttestationObject),
	}))
	if err != nil {
		return err
	}
	row, err := record(models.PasskeyRecord{}, "example.org", credential)
	if err != nil {
		return err
	}
	var doc document
	if err := json.Unmarshal(row.Credential, &doc); err != nil {
		return err
	}
	p.passkeys = []webauthn.Credential{doc.Credential}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(response(id, map[string]string{
		"clientDataJSON": b64(t, v.Auth.ClientDataJSON), "authenticatorData": b64(t, v.Auth.AuthenticatorData), "signature": b64(t, v.Auth.Signature),
	}))
	if err != nil {
		return err
	}
	data.Challenge = b64(t, v.Auth.Challenge)
	if _, err := party.ValidateLogin(p, data, parsed); err != nil {
		return detailed(err)
	}
	// The same assertion with one bit of its signature changed must not hold.
	parsed.Response.Signature[len(parsed.Response.Signature)-1] ^= 1
	if _, err := party.ValidateLogin(p, data, parsed); err == nil {
		return fmt.Errorf("a changed signature was accepted")
	}
	return nil
}

func response(id string, fields map[string]string) []byte {
	raw, err := json.Marshal(map[string]any{"id": id, "rawId": id, "type": "public-key", "response": fields})
	if err != nil {
		panic(err) // strings only
	}
	return raw
}

func b64(t *testing.T, h string) string {
	t.Helper()
	raw, err := hex.DecodeString(h)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}
