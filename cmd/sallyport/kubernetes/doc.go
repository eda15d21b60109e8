// Package kubernetes holds tests alone: a Kubernetes API server's own authenticators take
// our tokens. It is a module of its own, so that nothing of Kubernetes is among what
// Sallyport is built of.
package kubernetes
