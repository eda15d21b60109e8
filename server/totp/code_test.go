package totp

import (
	"encoding/xml"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
)

// The secrets of RFC 6238 appendix B, for SHA-1, SHA-256 and SHA-512.
var rfc6238Secrets = map[otp.Algorithm]string{
	otp.AlgorithmSHA1:   "12345678901234567890",
	otp.AlgorithmSHA256: "12345678901234567890123456789012",
	otp.AlgorithmSHA512: "1234567890123456789012345678901234567890123456789012345678901234",
}

func TestRFC6238Vectors(t *testing.T) {
	t.Parallel()
	n := 0
	for _, v := range []struct {
		at                   int64
		sha1, sha256, sha512 string
	}{
		{59, "94287082", "46119246", "90693936"},
		{1111111109, "07081804", "68084774", "25091201"},
		{1111111111, "14050471", "67062674", "99943326"},
		{1234567890, "89005924", "91819424", "93441116"},
		{2000000000, "69279037", "90698825", "38618901"},
		{20000000000, "65353130", "77737706", "47863826"},
	} {
		for algorithm, want := range map[otp.Algorithm]string{otp.AlgorithmSHA1: v.sha1, otp.AlgorithmSHA256: v.sha256, otp.AlgorithmSHA512: v.sha512} {
			got, err := hotp.GenerateCodeCustom(text([]byte(rfc6238Secrets[algorithm])), uint64(v.at/period), hotp.ValidateOpts{Digits: 8, Algorithm: algorithm})
			if err != nil || got != want {
				t.Errorf("%v at %d: got %s %v, want %s", algorithm, v.at, got, err, want)
			}
			n++
		}
		// Our own codes are the last six digits of the SHA-1 ones.
		step, ok := match([]byte(rfc6238Secrets[otp.AlgorithmSHA1]), v.sha1[2:], time.Unix(v.at, 0))
		if !ok || step != v.at/period {
			t.Errorf("at %d: step %d %v", v.at, step, ok)
		}
	}
	if n != 18 {
		t.Fatalf("%d vectors, want 18", n)
	}
}

func TestRFC4226Vectors(t *testing.T) {
	t.Parallel()
	want := []string{"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"}
	for step, code := range want {
		got, err := codeAt([]byte("12345678901234567890"), int64(step))
		if err != nil || got != code {
			t.Errorf("count %d: got %s %v, want %s", step, got, err, code)
		}
	}
}

func TestSkewIsOneStepEitherWay(t *testing.T) {
	t.Parallel()
	secret, now := []byte("12345678901234567890"), time.Unix(1_000_000_000, 0)
	current := now.Unix() / period
	for offset, ok := range map[int64]bool{-2: false, -1: true, 0: true, 1: true, 2: false} {
		code, err := codeAt(secret, current+offset)
		if err != nil {
			t.Fatal(err)
		}
		step, got := match(secret, code, now)
		if got != ok || ok && step != current+offset {
			t.Errorf("offset %d: step %d %v", offset, step, got)
		}
	}
}

func TestKeyURI(t *testing.T) {
	t.Parallel()
	uri := keyURI("My Site", "ada+x@example.com", []byte("12345678901234567890"))
	want := "otpauth://totp/My%20Site:ada+x@example.com?algorithm=SHA1&digits=6&issuer=My%20Site&period=30&secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	if uri != want {
		t.Errorf("got  %s\nwant %s", uri, want)
	}
}

func TestQRIsPlainSVG(t *testing.T) {
	t.Parallel()
	svg, err := qrSVG(keyURI("Sallyport", "ada@example.com", make([]byte, 20)))
	if err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal([]byte(svg), new(struct{})); err != nil {
		t.Errorf("not well formed: %v", err)
	}
	for _, refused := range []string{"style", "script", "href", "on"} {
		if strings.Contains(svg, " "+refused) {
			t.Errorf("holds %q", refused)
		}
	}
	if _, err := qrSVG(strings.Repeat("x", 5000)); err == nil {
		t.Error("drew more than a QR code holds")
	}
}
