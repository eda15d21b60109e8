package hook

import (
	"encoding/base64"
	"testing"
	"time"
)

// The vector of the Standard Webhooks libraries, and one of ours by openssl:
// printf 'msg.1764201600.{}' | openssl dgst -sha256 -hmac key -binary | base64
func TestSignatures(t *testing.T) {
	t.Parallel()
	secret, err := base64.StdEncoding.DecodeString("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		secrets        [][]byte
		id, body, want string
		at             int64
	}{
		{[][]byte{secret}, "msg_p5jXN8AQM9LWM0D4loKWxJek", `{"test": 2432232314}`, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", 1614265330},
		{[][]byte{[]byte("key"), secret}, "msg", "{}", "v1,SpXCufn7JMpk4194PSOQ0otidd7WanzxhOkiQ1ucYhM= v1,sTNLcZ87WDsj/DGEi3EYx+8vqQXfc57cM6BeIvJvEks=", 1764201600},
	} {
		if got := sign(c.secrets, c.id, time.Unix(c.at, 0), []byte(c.body)); got != c.want {
			t.Errorf("%s: got %s, want %s", c.id, got, c.want)
		}
	}
}

// Ten attempts within a day, each later than the one before.
func TestPauses(t *testing.T) {
	t.Parallel()
	var all, last time.Duration
	for attempt := 1; ; attempt++ {
		p := pause(attempt)
		if p == 0 {
			if attempt != 10 || all > 24*time.Hour || all < 18*time.Hour {
				t.Errorf("%d attempts in %s", attempt, all)
			}
			return
		}
		if p <= last || p > pauses[attempt-1] || p < pauses[attempt-1]*4/5 {
			t.Errorf("attempt %d: %s after %s", attempt, p, last)
		}
		all, last = all+p, p
	}
}
