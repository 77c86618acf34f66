# `make` lists what there is. CI runs .ci/run: what `make check` does but for `vuln`, and the runs with real processes; not image-check and apply-check.
SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

GO       ?= go
GOLANGCI ?= golangci-lint
DOCKER   ?= docker
IMAGE    ?= watchkeeper
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
FUZZTIME ?= 60s
FUZZPROCS ?= 2
PKG      ?= ./...
SEED     ?= 1
VULN     ?= golang.org/x/vuln/cmd/govulncheck@v1.9.0
LDFLAGS  := -s -w -X watchkeeper/workers/fleet.stamped=$(VERSION)
BUILD    := CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)'

.PHONY: help
help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

.PHONY: build
build: ## build the daemon and the operator's tool into bin/
	$(BUILD) -o bin/ ./cmd/watchkeeper ./cmd/wkctl

.PHONY: reproducible
reproducible: ## build twice, the second time from another folder and an empty cache, and compare the bytes
	@tmp=$$(mktemp -d); trap 'chmod -R u+w "$$tmp"; rm -rf "$$tmp"' EXIT; \
	$(BUILD) -o "$$tmp/one/" ./cmd/watchkeeper ./cmd/wkctl; \
	mkdir "$$tmp/src"; git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$$tmp/src"; \
	(cd "$$tmp/src" && GOCACHE="$$tmp/cache" $(BUILD) -o "$$tmp/two/" ./cmd/watchkeeper ./cmd/wkctl); \
	for p in watchkeeper wkctl; do cmp "$$tmp/one/$$p" "$$tmp/two/$$p"; sha256sum < "$$tmp/one/$$p"; done

.PHONY: licences
licences: ## list the modules in the programs with their licences in deploy/LICENSES.md
	.ci/licences > deploy/LICENSES.md

.PHONY: licences-check
licences-check: ## fail when deploy/LICENSES.md is not what the programs are built of, or a licence is unknown
	@diff deploy/LICENSES.md <(.ci/licences); if grep -n 'unknown: read' deploy/LICENSES.md; then exit 1; fi

.PHONY: sbom
sbom: build ## write bills of materials (CycloneDX) into bin/; wants jq
	.ci/sbom bin/watchkeeper > bin/watchkeeper.cdx.json
	.ci/sbom bin/wkctl > bin/wkctl.cdx.json

.PHONY: vuln
vuln: ## look for known vulnerabilities in what is called; left out when the database is out of reach
	@if curl -sSf -m 10 -o /dev/null https://vuln.go.dev/index/db.json; then $(GO) run $(VULN) $(PKG); \
	else echo 'vuln.go.dev is out of reach: not looked for vulnerabilities'; fi

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
check: fmt-check vet lint race fresh licences-check vuln ## everything that must hold before a change is merged

.PHONY: deploy-check
deploy-check: ## hold the manifests under deploy/ to the API's own types, to each other and to the program
	cd deploy/check && $(GO) vet ./... && $(GO) test -count=1 ./...

.PHONY: apply-check
apply-check: ## apply everything under deploy/ to a real API server, of the programs in KUBEBUILDER_ASSETS (deploy/check/assets.sh builds them)
	@test -n "$$KUBEBUILDER_ASSETS" || { echo 'set KUBEBUILDER_ASSETS to a folder with etcd and kube-apiserver: deploy/check/assets.sh FOLDER builds them'; exit 1; }
	cd deploy/check && $(GO) test -count=1 -timeout 20m -run '^TestARealAPIServer' -v .

.PHONY: bench
bench: ## run the benchmarks, without the tests
	$(GO) test -run '^$$' -bench . -benchmem $(PKG)

.PHONY: fuzz
fuzz: ## run each fuzz test for FUZZTIME (60s), one after the other
	@for pkg in $$($(GO) list $(PKG)); do \
		for name in $$($(GO) test -list '^Fuzz' "$$pkg" | grep '^Fuzz' || true); do \
			echo "$$pkg $$name"; \
			$(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 3s -parallel $(FUZZPROCS) "$$pkg"; \
		done; \
	done

.PHONY: roundtrip
roundtrip: ## let a platform go dark under two daemons, Prometheus and Alertmanager until somebody is woken, and told that it is over (2 minutes)
	ROUNDTRIP=required $(GO) test -count=1 -timeout 10m -v ./workers/embedded/roundtrip

.PHONY: chaos
chaos: ## break real processes in every way of deploy/FAILURES.md; UPDATE=-update keeps what was measured
	CHAOS=all $(GO) test -count=1 -timeout 15m -parallel 16 -run '^TestChaos$$' -v ./workers/embedded/chaos $(UPDATE)

.PHONY: chaos-table
chaos-table: ## make the table of deploy/FAILURES.md anew from what was measured
	$(GO) test -count=1 -run '^TestTheTableOfFailuresIsFresh$$' ./workers/embedded/chaos -update

.PHONY: cluster
cluster: ## run the tests that need a Redis on clusters of three masters
	.ci/cluster

.PHONY: planted
planted: ## plant bugs in the source and have the simulation find each
	$(GO) test -tags planted -count=1 -timeout 60m -run Planted -v ./workers/simulation

.PHONY: soak
soak: ## kill two real daemons every 5 s for 10 minutes, then empty their Redis; 30 minutes in all
	$(GO) run ./cmd/wkdev soak --seed $(SEED)
	$(GO) run ./cmd/wkdev soak --seed $(SEED) --flush --minutes 3

.PHONY: takeover
takeover: ## kill one of two daemons while it reads lists and disputes, and see how long they lie
	$(GO) test -count=1 -v -run '^TestTwoDaemonsOneKilled$$' ./workers/embedded/soak

.PHONY: demo
demo: ## show the whole program at work, needing nothing but Go
	$(GO) run ./cmd/wkdev --seed $(SEED)

.PHONY: image
image: ## build the container image; DOCKER=podman does as well, and IMAGE_ARGS are its further arguments
	$(DOCKER) build $(IMAGE_ARGS) --build-arg VERSION=$(VERSION) -t $(IMAGE):$(VERSION) .

.PHONY: image-check
image-check: ## build the image, look into it and stop it under load, in 5 minutes; left out where DOCKER runs no containers
	@if ! $(DOCKER) info >/dev/null 2>&1; then echo '$(DOCKER) runs no containers here: the image is not looked into (DOCKER=podman does as well)'; \
	else $(MAKE) image && DOCKER=$(DOCKER) IMAGE=$(IMAGE):$(VERSION) $(GO) test -count=1 -timeout 30m -v ./deploy/image; fi
