# Everything goes through these targets; `make help` lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help

BIN := .run/bin
PACKAGES_RUN := postgresql g++ libdlib-dev libdlib-data libblas-dev liblapack-dev libjpeg62-turbo-dev libatlas-base-dev libopenblas0-pthread
PACKAGES_TEST := chromium ffmpeg fonts-dejavu-core shellcheck

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## (.*)/\1\t\2/' | awk -F'\t' '{printf "  %-14s %s\n", $$1, $$2}'

.PHONY: run
run: packages build models face-worker ## serve on http://localhost:8080 with a Postgres of its own
	@exec cmd/sallyport/run.sh

.PHONY: packages
packages: ## install the Debian packages that are missing
	@cmd/sallyport/packages.sh $(PACKAGES_RUN)

.PHONY: build
build: ## build the server, without cgo
	@CGO_ENABLED=0 go build -trimpath -o $(BIN)/sallyport ./cmd/sallyport

# Without models or worker Sallyport runs all the same and says that face is unavailable.
.PHONY: models
models: ## prepare the face models in .run/models
	@go run ./biometrics/prepare -dir .run/models || echo "no face models: face will be unavailable, the other factors work"

.PHONY: face-worker
face-worker: ## build the face worker (dlib, about a minute the first time)
	@[ -x $(BIN)/sallyport-face ] || echo "building the face worker, about a minute the first time"
	@go build -tags dlib -o $(BIN)/sallyport-face ./cmd/sallyport-face || echo "no face worker: face will be unavailable, the other factors work"
