// Package biometrics is the face factor without its native code: the image
// gate, the comparison of descriptors, the rules a capture has to meet, and the
// Engine interface behind which dlib runs.
//
// The order of use is always the same. [Gate.Open] turns each uploaded picture
// into a [Frame], [CheckFrames] refuses what needs no engine to be refused, an
// [Engine] turns frames into observations, [Assess] turns the observations of
// one capture into descriptors or into a [CaptureError], and [Match] compares
// those with an account's templates.
//
// The package knows nothing of users, sessions or policies, does no logging and
// keeps nothing. It compares one capture with the templates it is handed and has
// no search. It does not tell a face from a photograph of that face.
package biometrics
