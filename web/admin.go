package web

import "time"

// AdminRecoveriesPage is where two admins together let somebody back in.
type AdminRecoveriesPage struct {
	Layout
	Recoveries []AssistedRow
}

// AssistedRow is somebody who is to come back.
type AssistedRow struct {
	ID, Username, OpenedBy string
	// Own says that the admin who looks at it opened it, so that another one has to agree.
	Own bool
	// ApprovedBy is "" until another admin agreed.
	ApprovedBy string
	BegunAt    time.Time
}

func (AdminRecoveriesPage) page() (name, title string) { return "admin-recoveries", "Ways back in" }
