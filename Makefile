# `make` lists what there is. CI runs .ci/run, which does what `make check` does and one smoke run more.
SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

GO       ?= go
GOLANGCI ?= golangci-lint
IMAGE    ?= watchkeeper
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
FUZZTIME ?= 30s
PKG      ?= ./...
SEED     ?= 1
LDFLAGS  := -s -w

.PHONY: help
help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

.PHONY: build
build: ## build the daemon and the operator's tool into bin/
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./cmd/watchkeeper ./cmd/wkctl

.PHONY: test
test: ## run the tests
	$(GO) test $(PKG)

.PHONY: race
race: ## run the tests with the race detector
	$(GO) test -race $(PKG)

.PHONY: vet
vet: ## run go vet
	$(GO) vet $(PKG)

.PHONY: lint
lint: ## run golangci-lint with .golangci.yml
	$(GOLANGCI) run $(PKG)

.PHONY: fmt
fmt: ## format every file
	gofmt -w $$(git ls-files --cached --others --exclude-standard '*.go')

.PHONY: fmt-check
fmt-check: ## fail when a file is not formatted
	@left=$$(gofmt -l $$(git ls-files --cached --others --exclude-standard '*.go')); \
	if [[ -n $$left ]]; then printf 'not formatted:\n%s\n' "$$left"; exit 1; fi

.PHONY: generate
generate: ## make the generated files anew
	$(GO) generate ./...

.PHONY: fresh
fresh: ## fail when a generated file is not what its source says
	@before=$$(git ls-files -z --cached --others --exclude-standard | xargs -0 sha256sum); \
	$(GO) generate ./...; \
	after=$$(git ls-files -z --cached --others --exclude-standard | xargs -0 sha256sum); \
	if [[ $$before != "$$after" ]]; then printf 'stale, run make generate:\n'; diff <(echo "$$before") <(echo "$$after"); exit 1; fi

.PHONY: check
check: fmt-check vet lint race fresh ## everything that must hold before a change is merged

.PHONY: bench
bench: ## run the benchmarks, without the tests
	$(GO) test -run '^$$' -bench . -benchmem $(PKG)

.PHONY: fuzz
fuzz: ## run each fuzz test for FUZZTIME (30s)
	@for pkg in $$($(GO) list $(PKG)); do \
		for name in $$($(GO) test -list '^Fuzz' "$$pkg" | grep '^Fuzz' || true); do \
			echo "$$pkg $$name"; \
			$(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) "$$pkg"; \
		done; \
	done

.PHONY: soak
soak: ## kill two real daemons every 5 s for 10 minutes, then empty their Redis; 30 minutes in all
	$(GO) run ./cmd/wkdev soak --seed $(SEED)
	$(GO) run ./cmd/wkdev soak --seed $(SEED) --flush --minutes 3

.PHONY: demo
demo: ## show the whole program at work, needing nothing but Go
	$(GO) run ./cmd/wkdev --seed $(SEED)

.PHONY: image
image: ## build the container image
	docker build --build-arg VERSION=$(VERSION) -t $(IMAGE):$(VERSION) .
