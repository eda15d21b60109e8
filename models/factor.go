package models

import (
	"slices"
	"time"
)

// Factor is a kind of second factor that a person can hold.
type Factor string

// The kinds of factor. Recovery codes are a way back in, never a factor that
// an account can stand on.
const (
	Passkey  Factor = "passkey"
	TOTP     Factor = "totp"
	Face     Factor = "face"
	Recovery Factor = "recovery"
)

// Password is the method that a correct password adds to a session. It is no
// second factor.
const Password Factor = "pwd"

// Mail is the method of a session that was opened by a letter's link, in the place of
// a password. It is no second factor either.
const Mail Factor = "mail"

// Waited and Vouched are the methods of somebody who came back without a factor: by
// waiting for it, or since two admins vouched for them. Neither is a factor.
const (
	Waited  Factor = "waited"
	Vouched Factor = "vouched"
)

// Device is the method of a browser that the account's owner asked to be remembered. It
// is no second factor: beside a password it opens the second door at level 1.
const Device Factor = "device"

// Method records that a factor was passed in a session.
type Method struct {
	Factor Factor    `json:"method"`
	At     time.Time `json:"at"`
	// UV is the user-verified bit read from that very assertion (WebAuthn
	// Level 3 section 6.1). It means something for passkeys only.
	UV bool `json:"uv,omitempty"`
	// Key says where a passkey's private key is: "" where that was not read. It means
	// something for passkeys only.
	Key KeyKind `json:"key,omitempty"`
	// DeviceKey says that the camera's end signed the pictures by a key that
	// the account had registered. It means something for faces only.
	DeviceKey bool `json:"device_key,omitempty"`
	// Remembered is which device was recognised. It means something for devices only.
	Remembered ID `json:"remembered,omitempty"`
}

// KeyKind says where a private key is, in the words of RFC 8176.
type KeyKind string

// The kinds. A passkey that may be copied to other devices (its backup-eligible bit,
// WebAuthn Level 3 section 6.1.3) is a key in software wherever it was made; one that may
// not is in hardware by the word of its authenticator, which nobody attests.
const (
	HardwareKey KeyKind = "hwk"
	SoftwareKey KeyKind = "swk"
)

// PasskeyKind is the kind of a passkey's key by its backup-eligible bit.
func PasskeyKind(backupEligible bool) KeyKind {
	if backupEligible {
		return SoftwareKey
	}
	return HardwareKey
}

// ByDevice tells whether a remembered device was recognised among the methods.
func ByDevice(methods []Method) bool {
	return slices.ContainsFunc(methods, func(m Method) bool { return m.Factor == Device })
}

// ByMail tells whether the methods are of a session that a letter's link opened.
func ByMail(methods []Method) bool {
	return slices.ContainsFunc(methods, func(m Method) bool { return m.Factor == Mail })
}

// Enrolled counts the factors that an account holds.
type Enrolled struct {
	Passkeys int
	TOTP     bool
	Face     bool
	Codes    int // recovery codes not used yet
	// Remembered are the devices that are remembered and not over. They stand beside a
	// second factor, never in the place of one.
	Remembered int
	// Disabled are the factors that failed too often in a row, faces apart. They
	// don't count above until they are set up anew.
	Disabled []Factor
}

// Any tells whether the account holds a second factor. Recovery codes alone
// are none.
func (e Enrolled) Any() bool { return e.Passkeys > 0 || e.TOTP || e.Face }

// NonBiometric tells whether there is a way in that needs no face: NIST SP
// 800-63B-4 section 3.2.3 demands one always.
func (e Enrolled) NonBiometric() bool { return e.Passkeys > 0 || e.TOTP || e.Codes > 0 }

// List names what can be used to pass a sign-in, strongest first. A remembered device
// is in it only beside a second factor.
func (e Enrolled) List() []Factor {
	list := []Factor{}
	if e.Passkeys > 0 {
		list = append(list, Passkey)
	}
	if e.TOTP {
		list = append(list, TOTP)
	}
	if e.Face {
		list = append(list, Face)
	}
	if e.Codes > 0 {
		list = append(list, Recovery)
	}
	if e.Remembered > 0 && e.Any() {
		list = append(list, Device)
	}
	return list
}

// Has tells whether the account holds f.
func (e Enrolled) Has(f Factor) bool { return slices.Contains(e.List(), f) }
