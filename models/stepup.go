package models

import (
	"crypto/sha256"
	"time"
)

// Purpose names the one kind of sensitive act that a step-up is for.
type Purpose string

// The purposes. Those that begin with add_, remove_ or change_ change what guards
// the account.
const (
	AddPasskey       Purpose = "add_passkey"
	AddTOTP          Purpose = "add_totp"
	AddFace          Purpose = "add_face"
	AddDevice        Purpose = "add_device"
	RemovePasskey    Purpose = "remove_passkey"
	RemoveTOTP       Purpose = "remove_totp"
	RemoveFace       Purpose = "remove_face"
	RemoveDevice     Purpose = "remove_device"
	ChangePassword   Purpose = "change_password"
	ChangeEmail      Purpose = "change_email"
	NewRecoveryCodes Purpose = "recovery_codes"
	Export           Purpose = "export"
	DeleteAccount    Purpose = "delete_account"
	// What admins do for others.
	OpenRecovery    Purpose = "open_recovery"
	ApproveRecovery Purpose = "approve_recovery"
	// ManageWebhooks is to say who is told what happens here, and by what secret.
	ManageWebhooks Purpose = "manage_webhooks"
	// ManageClients is to say which apps sign people in here, and by what secret.
	ManageClients Purpose = "manage_clients"
	// SecondFactor makes up for the factor that a remembered device left out, for what
	// asks for nothing afresh of a session at level 2.
	SecondFactor Purpose = "second_factor"
	// Authenticate is a sign-in once more within a session, for an app that asks for it.
	Authenticate Purpose = "authenticate"
	// AuthorizeDevice signs another device in by the code that it shows.
	AuthorizeDevice Purpose = "authorize_device"
)

// Purposes lists them all.
func Purposes() []Purpose {
	return []Purpose{
		AddPasskey, AddTOTP, AddFace, AddDevice, RemovePasskey, RemoveTOTP, RemoveFace, RemoveDevice,
		ChangePassword, ChangeEmail, NewRecoveryCodes, Export, DeleteAccount, OpenRecovery, ApproveRecovery,
		ManageWebhooks, ManageClients, SecondFactor, Authenticate, AuthorizeDevice,
	}
}

// Act is what a write is about to do: its purpose, and what it does it to, such as
// the id of the passkey that is removed; "" where the purpose says all.
type Act struct {
	Purpose Purpose
	Object  string
}

// ObjectHash is the SHA-256 of the object: all that is stored of it.
func (a Act) ObjectHash() [sha256.Size]byte { return sha256.Sum256([]byte(a.Object)) }

// StepUp is one asking of a session for fresh proof, and what was proven for it
// so far. It serves one write, before it expires.
type StepUp struct {
	ID        ID
	Methods   []Method
	CreatedAt time.Time
	ExpiresAt time.Time
}
