// Package biometrics is the face factor without its native code: the image
// gate, the comparison of descriptors, the rules a capture has to meet, and the
// Engine interface behind which dlib runs.
//
// The order of use is always the same. [NewScript] draws what a person is asked to
// do and [NewCapture] directs them. For each upload [Gate.Open] makes a [Frame], an
// [Engine] finds the faces in it, [See] measures them, the frame is wiped, and
// [Capture.Add] says what to tell the person next. [Capture.Finish] judges the whole
// and gives the descriptors that [Yardstick.Compare] compares with an account's
// templates.
//
// The package knows nothing of users, sessions or policies, does no logging and
// keeps nothing. It compares one capture with the templates it is handed and has
// no search. docs/face-liveness.md says how well it tells a face from a picture of
// one, and from what it doesn't.
package biometrics
