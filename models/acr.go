package models

import "slices"

// ACR is the authentication context that a set of passed methods adds up to:
// what routes and apps ask for. It is always derived, never stored.
type ACR string

// The contexts. ACRDevice is a password on a remembered device: honest about being one
// factor and a mark, and never two. ACRMFA is our own word for password and face: NIST SP
// 800-63B-4 does not count a centrally compared biometric with only a password
// as AAL2, so it is never called that.
const (
	ACRNone     ACR = ""
	ACROne      ACR = "one"
	ACRRecovery ACR = "recovery"
	ACRDevice   ACR = "pwd+device"
	ACRMFA      ACR = "mfa"
	ACRAAL2     ACR = "aal2"
)

// Level is 2 for two factors, 1 for less, 0 for nothing at all.
func (a ACR) Level() int {
	switch a {
	case ACRAAL2, ACRMFA:
		return 2
	case ACROne, ACRRecovery, ACRDevice:
		return 1
	default:
		return 0
	}
}

// Meets tells whether a is as good as what is asked for: aal2 serves for mfa,
// mfa does not serve for aal2.
func (a ACR) Meets(want ACR) bool {
	switch want {
	case ACRAAL2:
		return a == ACRAAL2
	case ACRMFA:
		return a.Level() == 2
	default:
		return a == want || a.Level() == 2
	}
}

// ACROf adds up the methods of a session. A factor kind counts once however
// often it was passed, and two of the same sort ("something you have") do not
// make two factors: TOTP with a passkey that did not verify the user stays
// ACROne.
func ACROf(methods []Method) ACR {
	var pwd, mail, passkey, verified, totp, face, recovery, device bool
	for _, m := range methods {
		switch m.Factor {
		case Password:
			pwd = true
		case Passkey:
			passkey = true
			verified = verified || m.UV
		case TOTP:
			totp = true
		case Face:
			face = true
		case Recovery, Waited, Vouched:
			recovery = true
		case Device:
			device = true
		case Mail: // stands where the password would, and is worth no more
			mail = true
		}
	}
	switch {
	case len(methods) == 0:
		return ACRNone
	case recovery, mail && (passkey || totp): // a letter leads to a new password or a new factor, never in
		return ACRRecovery
	case verified, pwd && passkey, pwd && totp:
		return ACRAAL2
	case pwd && face:
		return ACRMFA
	case pwd && device:
		return ACRDevice
	default:
		return ACROne
	}
}

// AMROf names the methods of a session by RFC 8176: "pwd", "otp" for TOTP, "hwk" or "swk"
// for a passkey by where its key is ("pop" where that is not known) with "user" beside it,
// for its owner had to touch something, "face", "swk" for a face whose pictures a key of
// the browser signed (a copied browser profile copies such a key) and for a remembered
// device, which is such a key, and "mfa" at level 2. A recovery code has no name there.
func AMROf(methods []Method) []string {
	amr := []string{}
	add := func(names ...string) {
		for _, name := range names {
			if !slices.Contains(amr, name) {
				amr = append(amr, name)
			}
		}
	}
	for _, m := range methods {
		switch m.Factor {
		case Password:
			add("pwd")
		case TOTP:
			add("otp")
		case Passkey:
			if m.Key == "" {
				add("pop", "user")
			} else {
				add(string(m.Key), "user")
			}
		case Face:
			add("face")
		case Device:
			add(string(SoftwareKey))
		case Recovery, Mail, Waited, Vouched:
		}
		if m.DeviceKey {
			add(string(SoftwareKey))
		}
	}
	if ACROf(methods).Level() == 2 {
		add("mfa")
	}
	return amr
}
