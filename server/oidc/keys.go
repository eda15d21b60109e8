package oidc

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/sallyport/sallyport/models"
)

// Algorithms are those that tokens are signed by.
var Algorithms = []string{"RS256", "ES256"}

const (
	// keyAhead is how long a new key is published before it signs, so that those who keep
	// our keys for a while have it in time.
	keyAhead = 15 * time.Minute
	// keyBehind is for the longest life of a token that an old key signed, and clocks.
	keyBehind = time.Hour
	// keysEvery is how old what an instance knows of the keys may be. Shorter than keyAhead.
	keysEvery = time.Minute
)

// KeyStore keeps signing keys.
type KeyStore interface {
	SigningKeys(ctx context.Context, since time.Time) ([]models.SigningKey, error)
	AddSigningKey(ctx context.Context, key models.SigningKey, first bool) error
}

// Keys signs tokens and publishes what they are verified by. It is safe for concurrent use.
type Keys struct {
	Store KeyStore
	Now   func() time.Time
	ring  atomic.Pointer[ring]
}

type ring struct {
	keys     []key // newest first
	loadedAt time.Time
}

type key struct {
	models.SigningKey
	signer crypto.Signer
}

// NewSigningKey makes a key that signs from a time on.
func NewSigningKey(alg string, now, activeAt time.Time) (models.SigningKey, error) {
	var private crypto.Signer
	var err error
	switch alg {
	case "RS256":
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	case "ES256":
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	default:
		err = fmt.Errorf("no keys are made for %q", alg)
	}
	if err != nil {
		return models.SigningKey{}, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	return models.SigningKey{ID: models.NewID(now), Alg: alg, PKCS8: der, ActiveAt: activeAt}, err
}

// Rotate publishes new keys, which take over after a quarter of an hour. What older ones
// signed is verified for as long as it lives.
func Rotate(ctx context.Context, store KeyStore, now time.Time) (activeAt time.Time, err error) {
	activeAt = now.Add(keyAhead)
	for _, alg := range Algorithms {
		made, err := NewSigningKey(alg, now, activeAt)
		if err != nil {
			return activeAt, err
		}
		if err := store.AddSigningKey(ctx, made, false); err != nil {
			return activeAt, err
		}
	}
	return activeAt, nil
}

// current gives the keys, looked up at most a minute ago. The first of each algorithm is
// made where there is none.
func (k *Keys) current(ctx context.Context) (*ring, error) {
	now := k.Now()
	if have := k.ring.Load(); have != nil && now.Sub(have.loadedAt).Abs() < keysEvery {
		return have, nil
	}
	fresh, err := k.load(ctx, now)
	if err != nil {
		return nil, err
	}
	for _, alg := range Algorithms {
		if fresh.signing(alg, now) != nil {
			continue
		}
		made, err := NewSigningKey(alg, now, now)
		if err != nil {
			return nil, err
		}
		if err := k.Store.AddSigningKey(ctx, made, true); err != nil {
			return nil, err
		}
		if fresh, err = k.load(ctx, now); err != nil {
			return nil, err
		}
	}
	k.ring.Store(fresh)
	return fresh, nil
}

func (k *Keys) load(ctx context.Context, now time.Time) (*ring, error) {
	stored, err := k.Store.SigningKeys(ctx, now.Add(-keyBehind))
	if err != nil {
		return nil, err
	}
	fresh := &ring{loadedAt: now}
	for _, s := range stored {
		private, err := x509.ParsePKCS8PrivateKey(s.PKCS8)
		if err != nil {
			return nil, fmt.Errorf("signing key %s: %w", s.ID, err)
		}
		signer, ok := private.(crypto.Signer)
		if !ok {
			return nil, fmt.Errorf("signing key %s signs nothing", s.ID)
		}
		fresh.keys = append(fresh.keys, key{s, signer})
	}
	return fresh, nil
}

// signing is the key that signs by an algorithm now; nil without one.
func (r *ring) signing(alg string, now time.Time) *key {
	for i, k := range r.keys {
		if k.Alg == alg && !now.Before(k.ActiveAt) {
			return &r.keys[i]
		}
	}
	return nil
}

// Sign makes a JWT (RFC 7519) of claims. typ keeps tokens of one sort from being taken for
// another (RFC 8725 section 3.11).
func (k *Keys) Sign(ctx context.Context, alg, typ string, claims any) (string, error) {
	current, err := k.current(ctx)
	if err != nil {
		return "", err
	}
	by := current.signing(alg, k.Now())
	if by == nil {
		return "", fmt.Errorf("no key signs by %q", alg)
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.SignatureAlgorithm(alg), Key: jose.JSONWebKey{Key: by.signer, KeyID: string(by.ID)}},
		(&jose.SignerOptions{}).WithType(jose.ContentType(typ)),
	)
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

var errNotOurs = errors.New("not signed here")

// Verify checks that a JWT of a type was signed here, and reads its claims. Times and
// audience are for whoever asks. The key is found by its id among our own, and has to be
// of the token's algorithm: neither "none" nor a public key as an HMAC secret passes.
func (k *Keys) Verify(ctx context.Context, token, typ string, claims any) error {
	parsed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256, jose.ES256})
	if err != nil || len(parsed.Signatures) != 1 {
		return errNotOurs
	}
	header := parsed.Signatures[0].Protected
	if got, _ := header.ExtraHeaders[jose.HeaderType].(string); got != typ {
		return errNotOurs
	}
	current, err := k.current(ctx)
	if err != nil {
		return err
	}
	for _, own := range current.keys {
		if string(own.ID) != header.KeyID || own.Alg != header.Algorithm {
			continue
		}
		payload, err := parsed.Verify(own.signer.Public())
		if err != nil {
			return errNotOurs
		}
		return json.Unmarshal(payload, claims)
	}
	return errNotOurs
}

// Public lists what tokens are verified by (RFC 7517), also what will sign soon.
func (k *Keys) Public(ctx context.Context) (jose.JSONWebKeySet, error) {
	current, err := k.current(ctx)
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	if err != nil {
		return set, err
	}
	for _, own := range current.keys {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: own.signer.Public(), KeyID: string(own.ID), Algorithm: own.Alg, Use: "sig"})
	}
	return set, nil
}
