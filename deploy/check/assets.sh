#!/usr/bin/env bash
# Builds what a cluster decides with into a folder: etcd, kube-apiserver, kube-controller-manager and kubectl, and in crds/ the kinds of the operators
# that the manifests name. All of it is built from modules of Go, where the folder that the tests of controllers use cannot be fetched: some ten minutes on
# two cores that are free. What is there already is left alone.
#
#   deploy/check/assets.sh FOLDER
#   make apply-check KUBEBUILDER_ASSETS=FOLDER
set -euo pipefail

KUBERNETES=v1.37.2
CONTROLLER_TOOLS=v0.23.0
MONITORING=v0.95.2       # as in go.mod of this module
KEDA=v2.21.0
EXTERNAL_SECRETS=v0.19.2 # whose module has its kinds; later ones keep them apart

mkdir -p "${1:?which folder?}"
folder=$(cd "$1" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export CGO_ENABLED=0 GOFLAGS=-mod=mod

# programs builds the parts of Kubernetes. Its own modules stand beside it in the versions that belong to it: what its go.mod says of them counts for
# nobody else.
programs() {
	mkdir "$scratch/programs"
	cd "$scratch/programs"
	local source
	source=$(go mod download -json "k8s.io/kubernetes@$KUBERNETES" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
	go mod init assets
	go mod edit -require "k8s.io/kubernetes@$KUBERNETES"
	sed -n 's,^\t\(k8s.io/[a-z-]*\) => \./staging/.*,\1,p' "$source/go.mod" | while read -r module; do
		go mod edit -replace "$module=$module@v0.${KUBERNETES#v1.}"
	done
	cat >tools.go <<-'EOF'
		//go:build tools

		package tools

		import (
			_ "go.etcd.io/etcd/server/v3"
			_ "k8s.io/kubernetes/cmd/kube-apiserver"
			_ "k8s.io/kubernetes/cmd/kube-controller-manager"
			_ "k8s.io/kubernetes/cmd/kubectl"
		)
	EOF
	go mod tidy
	local version="k8s.io/component-base/version.gitVersion=$KUBERNETES"
	for program in kube-apiserver kube-controller-manager kubectl; do
		build "$program" "k8s.io/kubernetes/cmd/$program" -X "$version"
	done
	build etcd go.etcd.io/etcd/server/v3
}

# build NAME PACKAGE [FLAGS OF THE LINKER]
build() {
	[[ -x $folder/$1 ]] || go build -trimpath -ldflags "-s -w ${*:3}" -o "$folder/$1" "$2"
}

# kinds makes the declarations of the operators' kinds from their types, as the operators themselves do.
kinds() {
	mkdir "$scratch/kinds"
	cd "$scratch/kinds"
	local types=(
		"github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1@$MONITORING"
		"github.com/kedacore/keda/v2/apis/keda/v1alpha1@$KEDA"
		"github.com/external-secrets/external-secrets/apis/externalsecrets/v1@$EXTERNAL_SECRETS"
	)
	go mod init kinds
	go get "sigs.k8s.io/controller-tools/cmd/controller-gen@$CONTROLLER_TOOLS"
	for package in "${types[@]}"; do
		go get "$package"
		go run sigs.k8s.io/controller-tools/cmd/controller-gen crd:allowDangerousTypes=true "paths=${package%@*}" output:crd:dir=all
	done
	mkdir -p "$folder/crds"
	cp all/*_{podmonitors,prometheusrules,scaledobjects,externalsecrets}.yaml "$folder/crds/"
}

programs
[[ -d $folder/crds ]] || kinds
ls -l "$folder"
