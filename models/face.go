package models

import "time"

// FaceFactor is the face factor of an account: its templates, by the sitting that
// they were taken in, and how it stands.
type FaceFactor struct {
	UserID     ID
	EnrolledAt time.Time
	LastUsedAt time.Time
	DisabledAt *time.Time    // after too many failures in a row: to be enrolled anew
	Captures   []FaceCapture // oldest first
	// QuarantinedAt is when it was set aside; DisabledAt is set with it.
	QuarantinedAt *time.Time
}

// FaceCapture is one sitting before a camera. Its templates are of one model.
type FaceCapture struct {
	ID        ID
	ModelKey  string // what made them: they compare with probes of the same alone
	Model     string // its name, for people
	Network   []byte // keyed digest of where it came from
	CreatedAt time.Time
	Templates []FaceTemplate
}

// FaceTemplate is one enrolled descriptor: 128 float32, little-endian, 512
// bytes. It is sealed in the store and open here; it never leaves the server.
type FaceTemplate struct {
	ID         ID
	Pose       string // "straight" are compared; "left" and "right" are kept for measuring
	Descriptor []byte
}

// MaxFaceCaptures is how many sittings an account keeps: one more, and the
// oldest goes.
const MaxFaceCaptures = 3

// Enrolled tells whether there is anything to compare with.
func (f FaceFactor) Enrolled() bool { return len(f.Captures) > 0 }

// DeviceKey is the key of a browser at the camera's end. The browser can use it
// and can't hand it out, but a copied browser profile copies it.
type DeviceKey struct {
	ID         ID
	Name       string
	PublicKey  []byte // SubjectPublicKeyInfo (RFC 5280) of a P-256 key
	Thumbprint string // base64url of its SHA-256, without padding
	CreatedAt  time.Time
	LastUsedAt time.Time
}

// ConsentKind is what somebody agrees to.
type ConsentKind string

// The kinds: to be measured and compared, and to lend the template to the
// cohort by which scores are normalised.
const (
	ConsentFace   ConsentKind = "face"
	ConsentCohort ConsentKind = "cohort"
)

// Consent is a row of the ledger.
type Consent struct {
	Kind        ConsentKind
	Version     string
	Language    string
	TextSHA256  []byte // of the text that was shown, paragraphs joined by newlines
	GivenAt     time.Time
	WithdrawnAt *time.Time
}

// FaceChange is what an enrolment writes.
type FaceChange struct {
	Capture FaceCapture
	// Adds keeps the sittings there are, but for the oldest beyond
	// MaxFaceCaptures; without it the new one takes the place of all.
	Adds bool
	// Key is registered with it, or is the one that signed, or nil.
	Key *DeviceKey
}

// Cohort is a sample of the installation's own templates, by which scores are
// normalised, with what the reference set showed of it.
type Cohort struct {
	ID          ID
	Version     int
	ModelKey    string
	Fusion      string
	Neighbours  int     // k
	Threshold   float64 // normalized; the one that it was tried with and may be used with
	Bound       float64 // the largest neighbourhood that is not too thin
	Report      []byte  // JSON: counts and rates, no member and no distance of anybody
	Refused     string  // why it may not become active; "" if it may
	CreatedAt   time.Time
	ActivatedAt *time.Time
	RetiredAt   *time.Time
	Members     []CohortMember // open; empty in lists
	Size        int            // members that are left, in lists
}

// CohortMember is one descriptor of a cohort and whose it is.
type CohortMember struct {
	Owner      ID
	Descriptor []byte
}

// CohortCandidate is an account whose template may become a member: it agreed,
// it is old enough, and it has signed in at aal2.
type CohortCandidate struct {
	Owner       ID
	Network     string // opaque
	Day         string // of its newest sitting
	Descriptors [][]byte
}

// FaceReference is one descriptor of the reference set.
type FaceReference struct {
	Subject    string
	People     string // the group that the subject is counted with
	Descriptor []byte
}

// FaceNoticeDays is how long before an unused face is erased its owner is told.
const FaceNoticeDays = 30

// FaceErasedAt is the first moment at which a face may be erased, when that is done
// after so many days without use and its owner was told at told.
func FaceErasedAt(lastUsed, told time.Time, unusedDays int) time.Time {
	unused, noticed := lastUsed.AddDate(0, 0, unusedDays), told.AddDate(0, 0, FaceNoticeDays)
	if noticed.After(unused) {
		return noticed
	}
	return unused
}

// FaceRefusal is what the audit log keeps of a capture that did not pass: what
// spoke for an attack, and nothing of whose face it was.
type FaceRefusal struct {
	Live    bool     `json:"live"`   // nothing spoke for an attack: the face was another's
	Attack  float64  `json:"attack"` // presentation-attack score, 0 to 1, to a tenth
	Reasons []string `json:"reasons"`
	Frames  int      `json:"frames"`
}
