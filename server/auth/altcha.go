package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"time"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/seal"
)

// workWithin is how long a proof of work is taken: long enough for a slow phone.
const workWithin = 5 * time.Minute

// workPurpose separates the signature from other digests under the same key.
const workPurpose = "bot_check"

// newWork makes a challenge in ALTCHA's format: find the number whose SHA-256
// behind the salt is the challenge. Nothing of it is kept; the signature tells
// that it is ours.
func (b *Bots) newWork(maxNumber int) *models.BotChallenge {
	number, err := rand.Int(rand.Reader, big.NewInt(int64(maxNumber)+1))
	if err != nil {
		panic(err) // crypto/rand never fails
	}
	// The salt ends in & so that no digit of the time can be taken for one of the
	// number, which would make an old solution last longer.
	salt := fmt.Sprintf("%x?expires=%d&", seal.Random(12), b.Now().Add(workWithin).Unix())
	challenge := solutionHash(salt, number.Int64())
	return &models.BotChallenge{
		Provider: models.BotALTCHA, Algorithm: "SHA-256", Challenge: challenge, MaxNumber: maxNumber, Salt: salt,
		Signature: hex.EncodeToString(b.Digester.Digest(workPurpose, challenge)),
	}
}

func solutionHash(salt string, number int64) string {
	sum := sha256.Sum256([]byte(salt + strconv.FormatInt(number, 10)))
	return hex.EncodeToString(sum[:])
}

// work is a solution as ALTCHA's clients send it: base64 of this in JSON.
type work struct {
	Algorithm string `json:"algorithm"`
	Challenge string `json:"challenge"`
	Number    int64  `json:"number"`
	Salt      string `json:"salt"`
	Signature string `json:"signature"`
}

var workSalt = regexp.MustCompile(`^[0-9a-f]{24}\?expires=([0-9]{1,12})&$`)

// worked tells whether a proof is a solution of ours that is in time and was not
// used before. From then on it is.
func (b *Bots) worked(ctx context.Context, proof string) (bool, error) {
	w, ok := readWork(proof)
	if !ok || w.Algorithm != "SHA-256" || w.Number < 0 {
		return false, nil
	}
	signature := hex.EncodeToString(b.Digester.Digest(workPurpose, w.Challenge))
	expires, ok := w.expires()
	if !ok || !b.Now().Before(expires) || solutionHash(w.Salt, w.Number) != w.Challenge ||
		subtle.ConstantTimeCompare([]byte(w.Signature), []byte(signature)) != 1 {
		return false, nil
	}
	return b.Store.SpendProof(ctx, []byte(w.Challenge), expires)
}

func readWork(proof string) (w work, ok bool) {
	doc, err := base64.StdEncoding.DecodeString(proof)
	return w, err == nil && json.Unmarshal(doc, &w) == nil
}

// expires reads from the salt until when a solution is taken.
func (w work) expires() (time.Time, bool) {
	salt := workSalt.FindStringSubmatch(w.Salt)
	if salt == nil {
		return time.Time{}, false
	}
	seconds, err := strconv.ParseInt(salt[1], 10, 64)
	return time.Unix(seconds, 0), err == nil
}
