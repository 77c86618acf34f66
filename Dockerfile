# syntax=docker/dockerfile:1

# For a reproducible build give the base image by digest: --build-arg GO_IMAGE=golang:1.26-trixie --build-arg GO_DIGEST=@sha256:…
ARG GO_IMAGE=golang:1.26-trixie
ARG GO_DIGEST=

FROM ${GO_IMAGE}${GO_DIGEST} AS build
WORKDIR /src
ARG VERSION=dev
ENV CGO_ENABLED=0 GOCACHE=/go/build GOFLAGS=-mod=readonly
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/go/build \
    go build -trimpath -buildvcs=false -ldflags "-s -w -X watchkeeper/workers/fleet.stamped=${VERSION}" -o /out/ ./cmd/wkctl
# Called by the name watchkeeper it is the daemon: the two share nearly all of their code.
RUN ln -s wkctl /out/watchkeeper

# Nothing but the program with its two names, the certificates that HTTPS needs and the time zones that platforms speak: no shell, no package manager.
FROM scratch
ARG VERSION=dev
LABEL org.opencontainers.image.title="watchkeeper" \
      org.opencontainers.image.description="Watches a seller's marketplace disputes and parcels and answers before the deadline" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /usr/local/go/lib/time/zoneinfo.zip /zoneinfo.zip
COPY --from=build /out/ /usr/local/bin/
ENV ZONEINFO=/zoneinfo.zip
# 65532 is nobody in particular; a number, so that Kubernetes can check runAsNonRoot.
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/watchkeeper"]
