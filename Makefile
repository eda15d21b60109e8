# Everything goes through these targets; `make help` lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help

BIN := .run/bin
PACKAGES_RUN := postgresql g++ libdlib-dev libdlib-data libblas-dev liblapack-dev libjpeg62-turbo-dev libturbojpeg0-dev libatlas-base-dev libopenblas0-pthread
PACKAGES_TEST := chromium ffmpeg fonts-dejavu-core shellcheck nginx-light caddy

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## (.*)/\1\t\2/' | awk -F'\t' '{printf "  %-14s %s\n", $$1, $$2}'

.PHONY: run
run: packages build models face-worker ## serve on http://localhost:8080 with a Postgres of its own
	@exec cmd/sallyport/run.sh

.PHONY: chat
chat: build ## the sample app on http://localhost:8090, beside `make run`
	@exec cmd/sallyport-chat/run.sh

.PHONY: packages
packages: ## install the Debian packages that are missing
	@cmd/sallyport/packages.sh $(PACKAGES_RUN)

.PHONY: build
build: ## build the server and the sample app, without cgo
	@CGO_ENABLED=0 go build -trimpath -o $(BIN)/ ./cmd/sallyport ./cmd/sallyport-chat

# Without models or worker Sallyport runs all the same and says that face is unavailable.
.PHONY: models
models: ## prepare the face models in .run/models
	@go run ./biometrics/prepare -dir .run/models || echo "no face models: face will be unavailable, the other factors work"

.PHONY: face-worker
face-worker: ## build the face worker (dlib, about a minute the first time)
	@[ -x $(BIN)/sallyport-face ] || echo "building the face worker, about a minute the first time"
	@go build -tags dlib -o $(BIN)/sallyport-face ./cmd/sallyport-face || echo "no face worker: face will be unavailable, the other factors work"
	@# Debian's alternatives choose OpenBLAS once it is installed, unless somebody chose by hand: that is theirs to undo.
	@update-alternatives --get-selections 2>/dev/null | awk '/^libblas\.so\.3-/ && !/openblas/ { \
	    print "dlib runs on " $$3 ", which is slower than OpenBLAS, up to four times; to change it: update-alternatives --auto " $$1 }'

# ---- tests ----

TEST_POSTGRES := .run/test/postgres
# Nothing that a test wrote need outlive the machine.
TEST_START := SALLYPORT_POSTGRES_OPTIONS="-c fsync=off -c full_page_writes=off" migrations/private-postgres.sh
TEST_ENV = SALLYPORT_TEST_DATABASE_URL="$$($(TEST_START) start $(TEST_POSTGRES))" SALLYPORT_FACE_WORKER="$(CURDIR)/$(BIN)/sallyport-face"
# How long each fuzz target runs; `make fuzz FUZZTIME=1h` for long.
FUZZTIME ?= 10s

# Stages run one after the other whatever -j says: they share two cores and one Postgres. But dlib's tests keep one core busy,
# and fuzzing has a time of its own.
.PHONY: test
test: ## everything that CI runs, on a Postgres of its own
	@cmd/sallyport/packages.sh $(PACKAGES_RUN) $(PACKAGES_TEST)
	@trap 'migrations/private-postgres.sh stop $(TEST_POSTGRES)' EXIT; \
	for stage in build models face-worker lint test-go "test-dlib fuzz" test-browser vulncheck; do \
	    echo "== $$stage, $$(date +%T)"; \
	    case "$$stage" in *" "*) beside="-j2 --output-sync=target";; *) beside=;; esac; \
	    $(MAKE) --no-print-directory $$beside $$stage || exit 1; \
	done
	@echo "all tests passed, $$(date +%T)"

.PHONY: test-unit
test-unit: ## the quick Go tests; those that need a Postgres skip without SALLYPORT_TEST_DATABASE_URL
	@go test -short ./...

# What computes for long on one core skips under the race detector, and runs here without it.
WITHOUT_RACE := OneFaceFakes|AVictimsPhotos|AGroupThatTheCohortLacks|RecommendedThreshold|ACohortOfRealPeople|FramesOfOneCapture

# A module of its own: a Kubernetes API server's authenticators take our tokens.
KUBERNETES := cmd/sallyport/kubernetes

.PHONY: test-go
test-go: ## Go tests with the race detector, on a real Postgres
	@$(TEST_ENV) go test -race -timeout 15m ./...
	@$(TEST_ENV) go test -timeout 10m -run '$(WITHOUT_RACE)' ./biometrics ./biometrics/evaluate ./cmd/sallyport
	@$(TEST_ENV) sh -c 'cd $(KUBERNETES) && go test -timeout 10m ./...'

.PHONY: test-dlib
test-dlib: ## the real face matching, in this process and in workers
	@$(TEST_ENV) OPENBLAS_NUM_THREADS=1 go test -tags dlib -timeout 15m ./biometrics/dlib

.PHONY: test-face
test-face: ## what takes long: ways to score faces, tried on a half held out, and every species of attack by every photo
	@go test -tags long -timeout 20m -v -run Alternatives ./biometrics/evaluate
	@$(TEST_ENV) OPENBLAS_NUM_THREADS=1 go test -tags dlib -timeout 60m -v -run TestSpecies ./biometrics/dlib -photos -1

.PHONY: fuzz
fuzz: ## fuzz every parser of foreign bytes for FUZZTIME each, three at a time
	@cmd/sallyport/fuzz.sh $(FUZZTIME)

.PHONY: test-browser
test-browser: web/e2e/node_modules/.package-lock.json ## the pages in Chromium, against the real server
	@SALLYPORT_E2E_DATABASE_URL="$$($(TEST_START) fresh $(TEST_POSTGRES) e2e)" \
	    SALLYPORT_BIN="$(CURDIR)/$(BIN)/sallyport" SALLYPORT_FACE_WORKER="$(CURDIR)/$(BIN)/sallyport-face" \
	    SALLYPORT_FACE_MODELS="$(CURDIR)/.run/models" node web/e2e/run.mjs

web/e2e/node_modules/.package-lock.json: web/e2e/package-lock.json
	@cd web/e2e && npm ci --silent --no-fund --no-audit

# ---- linters ----

GOLANGCI := .run/tools/golangci-lint
GOLANGCI_VERSION := v2.15.0

.PHONY: lint
lint: $(GOLANGCI) web/e2e/node_modules/.package-lock.json ## formatting, vet, golangci-lint, go.mod, shell and script checks
	@test -z "$$(gofmt -l .)" || { echo "not formatted:"; gofmt -l .; exit 1; }
	@go mod tidy -diff
	@CGO_ENABLED=0 go vet ./...
	@go vet -tags dlib ./biometrics/... ./cmd/sallyport-face
	@$(GOLANGCI) run ./...
	@cd $(KUBERNETES) && go mod tidy -diff && "$(CURDIR)/$(GOLANGCI)" run ./...
	@$(GOLANGCI) run --build-tags dlib ./biometrics/... ./cmd/sallyport-face/...
	@shellcheck -S warning cmd/sallyport/*.sh cmd/sallyport-chat/*.sh migrations/*.sh biometrics/dlib/*.sh .ci/run
	@for f in web/static/js/*.js web/sdk/*.js cmd/sallyport-chat/page/static/*.js; do node --check "$$f" || exit 1; done
	@cd web/e2e && npm run --silent check

$(GOLANGCI):
	@echo "building golangci-lint $(GOLANGCI_VERSION)"
	@GOBIN="$(CURDIR)/.run/tools" go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)

GOVULNCHECK := .run/tools/govulncheck

.PHONY: vulncheck
vulncheck: $(GOVULNCHECK) ## known vulnerabilities in what we use; says so where their database is out of reach
	@out=$$($(GOVULNCHECK) ./... 2>&1) && echo "$$out" | tail -n 1 || { \
	    case "$$out" in \
	    *"vuln.go.dev"*) echo "vulncheck: skipped, the vulnerability database is out of reach" ;; \
	    *) echo "$$out"; exit 1 ;; \
	    esac; }

$(GOVULNCHECK):
	@GOBIN="$(CURDIR)/.run/tools" go install golang.org/x/vuln/cmd/govulncheck@v1.8.0

# ---- benchmarks ----

# What face matching is compared with; no part of the product.
FACE_API := .run/face-api
$(FACE_API)/.installed:
	@mkdir -p $(FACE_API)
	@cd $(FACE_API) && npm install --silent --no-fund --no-audit --no-save @vladmandic/face-api@1.7.15 @tensorflow/tfjs@4.22.0 @tensorflow/tfjs-backend-wasm@4.22.0
	@touch $@

.PHONY: bench
bench: bench-face bench-load ## measure side by side: faces, a crowd of them beside other sign-ins, and what a password hash takes
	@$(TEST_ENV) go test -run xxx -bench . -benchtime 50x ./server/...

# Numbers of a machine that has other things to do need NICE=0, or the workers yield to those.
NICE ?= 10
TURNS ?= 30

.PHONY: bench-face
bench-face: $(FACE_API)/.installed face-worker ## whole verifications against go-face's own Recognize and face-api, one worker against two, memory over 2000 matches
	@$(TEST_ENV) OPENBLAS_NUM_THREADS=1 go test -tags dlib -run xxx -bench 'Verify|Throughput' -benchtime $(TURNS)x -timeout 30m \
	    ./biometrics/dlib -nice $(NICE) -face-api "$(CURDIR)/$(FACE_API)"
	@$(TEST_ENV) OPENBLAS_NUM_THREADS=1 go test -tags dlib -v -run TestWorkerMemory ./biometrics/dlib -matches 2000

.PHONY: bench-load
bench-load: face-worker ## 200 people who verify their face at once, and others who sign in beside them
	@$(TEST_ENV) go test -run xxx -bench Load -benchtime 6x -timeout 10m ./cmd/sallyport

.PHONY: clean
clean: ## stop the tests' Postgres and remove what was made; .run/keys and .run/postgres stay
	@migrations/private-postgres.sh stop $(TEST_POSTGRES) || :
	@rm -rf .run/test .run/bin .run/tools .run/prepare web/e2e/node_modules
