package models

import "time"

// KnownDevice is a browser or app that brought an account to level 2 before.
// It is no factor and proves nothing: it has a lane of its own when others keep
// failing at the account.
type KnownDevice struct {
	ID     ID
	UserID ID
	Marker TokenHash // of what the device keeps
}

// KnownDeviceWithin is how long a device is known without being used.
const KnownDeviceWithin = 365 * 24 * time.Hour
