// Package check holds the manifests of the folder above to what a cluster would hold them to, and to what the program expects of them. It
// has tests only, and is a module of its own so that the program does not depend on what they need: "make deploy-check" runs them.
package check
