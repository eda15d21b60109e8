// Package dlib is the face engine itself: dlib through go-face, the only native
// code of the project. It runs in worker processes alone, since a crash in it ends
// its process; package worker has the engine that a server uses.
//
// Everything but this comment is built with the tag dlib, so that the rest of the
// project needs neither a C++ compiler nor the library.
package dlib
