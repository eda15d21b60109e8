package models

// BotChallenge is what a client must solve, with CodeBotCheckRequired. With
// ALTCHA it is the challenge itself, in ALTCHA's own words; with siteverify the
// key by which the client gets a token from the service.
type BotChallenge struct {
	Provider  BotProvider `json:"provider"`
	SiteKey   string      `json:"site_key,omitempty"`
	Algorithm string      `json:"algorithm,omitempty"`
	Challenge string      `json:"challenge,omitempty"` // hex of SHA-256 over salt and number
	MaxNumber int         `json:"maxnumber,omitempty"` // the number is not above it
	Salt      string      `json:"salt,omitempty"`
	Signature string      `json:"signature,omitempty"` // hex
}
