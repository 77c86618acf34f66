package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sethvargo/go-envconfig"
	"github.com/spf13/cobra"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/sla/rules"
	"watchkeeper/workers/fleet"
)

// reasonLevel marks the scopes of a variable that can speak of one reason.
const reasonLevel = "<REASON>"

func (t *tool) configDocs() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "docs",
		Short: "Print every variable as Markdown",
		Long: `docs prints every variable that watchkeeper and wkctl read, with type, bounds, default and an example, and recipes for what operators often
want. It does not read the environment.`,
		Example: `  wkctl config docs
  wkctl config docs --write deploy/env.md`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			doc, err := newEnvDoc(cmd.Context(), t.registry)
			if err != nil {
				return err
			}
			if file == "" {
				return t.show(doc, doc.print)
			}
			var page bytes.Buffer
			to := *t
			to.out = &page
			if err := to.show(doc, doc.print); err != nil {
				return err
			}
			return replaceFile(file, page.Bytes())
		},
	}
	cmd.Flags().StringVarP(&file, "write", "w", "", "write it to this file in place of what it holds")
	return cmd
}

// replaceFile writes a file in one step, so that nobody reads half of it.
func replaceFile(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// A variableView is one variable as documented.
type variableView struct {
	Names    []string `json:"names"` // with their scopes, the most general first
	Type     string   `json:"type"`
	Bounds   words    `json:"bounds"`
	Default  words    `json:"default"`
	Example  words    `json:"example"`
	Sentence string   `json:"sentence"`
	Secret   bool     `json:"secret"`
}

// A recipeView is one tuning as an example.
type recipeView struct {
	Number string   `json:"number"`
	Title  string   `json:"title"`
	Env    []string `json:"env"`
	Beside []string `json:"beside"` // what it builds upon
}

// An envDoc is every variable, by what it concerns.
type envDoc struct {
	Machinery []variableView            `json:"machinery"`
	Stores    []variableView            `json:"stores"`
	Paces     []variableView            `json:"paces"` // of a store, or of all stores on a platform
	Platforms map[string][]variableView `json:"platforms"`
	Rules     []variableView            `json:"rules"`
	Overall   []variableView            `json:"overall"` // rules that are the same in every scope
	Parcels   []variableView            `json:"parcels"`
	Calendars []variableView            `json:"calendars"`
	Dates     []variableView            `json:"dates"` // that say when another variable holds
	Recipes   []recipeView              `json:"recipes"`

	registry connectors.Registry
}

func newEnvDoc(ctx context.Context, registry connectors.Registry) (*envDoc, error) {
	standard, err := fleet.LoadConfig(ctx, envconfig.MapLookuper(nil))
	if err != nil {
		return nil, err
	}
	doc := &envDoc{Platforms: map[string][]variableView{}, registry: registry}
	for _, v := range fleet.Describe(standard) {
		doc.Machinery = append(doc.Machinery, variableView{
			Names: []string{v.Name}, Type: v.Type, Default: words(v.Default), Example: words(v.Example), Sentence: v.Sentence,
			Secret: rules.IsSecret(v.Name),
		})
	}
	for _, v := range rules.Variables(nil) {
		view := variableView{
			Names: v.Scopes, Type: v.Type, Bounds: words(v.Bounds), Default: words(v.Default), Example: words(v.Example), Sentence: v.Sentence,
		}
		if v.Noun == rules.NounStore && v.Name == "PLATFORM" {
			view.Bounds = words("one of " + joinNames(registry.Names()))
		}
		list := doc.list(v)
		*list = append(*list, view)
	}
	for _, r := range rules.Recipes() {
		doc.Recipes = append(doc.Recipes, recipeView{r.Number, r.Title, r.Env, nonNil(r.Beside)})
	}
	for _, p := range registry {
		for _, name := range p.Variables {
			doc.Platforms[string(p.Name)] = append(doc.Platforms[string(p.Name)], storeVariable(name, p.Means[name]))
		}
	}
	return doc, nil
}

// list is where a variable of the rulebook belongs.
func (d *envDoc) list(v rules.Variable) *[]variableView {
	switch {
	case v.Noun == rules.NounStore && len(v.Scopes) > 1:
		return &d.Paces
	case v.Noun == rules.NounStore:
		return &d.Stores
	case v.Noun == rules.NounShipment:
		return &d.Parcels
	case v.Noun == rules.NounCalendar:
		return &d.Calendars
	case v.Noun == rules.NounDate:
		return &d.Dates
	case len(v.Scopes) > 1:
		return &d.Rules
	}
	return &d.Overall
}

// storeVariable describes what a connector reads.
func storeVariable(name, means string) variableView {
	const prefix = "WK_STORE__<STORE>__"
	v := variableView{Names: []string{prefix + name}, Type: "text", Secret: rules.IsSecret(name), Sentence: means}
	if plain, is := strings.CutSuffix(name, "_FILE"); is {
		v.Type, v.Sentence = "path of a file", "A file to read `"+prefix+plain+"` from."
	}
	return v
}

// joinNames lists values by their names.
func joinNames[T any](all []T) string {
	var out []string
	for _, v := range all {
		out = append(out, fmt.Sprint(v))
	}
	return strings.Join(out, ", ")
}

const docHead = `# Environment

Made by ` + "`wkctl config docs`" + `; edit the declarations, not this page.

Every variable begins with ` + "`WK_`" + `, and two underscores separate the levels of a name. ` + "`<STORE>`" + ` is a store's id in capital
letters and digits (` + "`AE01`" + `), ` + "`<PLATFORM>`" + ` a platform's name in capitals (` + "`ALIEXPRESS`" + `), ` + "`<REASON>`" + ` a reason in capitals
(` + "`NOT_RECEIVED`" + `), ` + "`<CALENDAR>`" + ` a name that an operator gives. ` + "`<CARRIER>`" + ` is a provider's code of a carrier in
capitals, with an underscore for what is neither letter nor digit (` + "`YANWEN`" + `); ` + "`<ORIGIN>` and `<DEST>`" + ` are countries in two letters,
or ` + "`ANY`" + `.
An empty value is an error; unset a variable to get its default. A name that nobody reads is an error, with a suggestion.
Durations are written ` + "`90m`, `36h`, `5d`, `2w` or `1d12h`" + ` (of the machinery also ` + "`20ms`, `30s`" + `), amounts with their currency (` + "`25USD`" + `),
shares with the per cent sign (` + "`30%`" + `).
`

func (d *envDoc) print(w io.Writer) {
	fmt.Fprint(w, docHead)
	fmt.Fprint(w, "\n## Machinery\n\n")
	printVariables(w, d.Machinery)
	fmt.Fprint(w, "\n## Stores\n\nA store is declared by its platform; the other variables depend on the platform. Secrets come best from a file: it is read\n"+
		"again when it changes.\n\n")
	printVariables(w, d.Stores)
	fmt.Fprint(w, "\n### How much is asked of a store\n\nThe most specific variable wins:\n\n")
	printScopes(w, d.Paces)
	printVariables(w, ofStores(d.Paces))
	for _, name := range d.registry.Names() {
		fmt.Fprintf(w, "\n### Stores on %s\n\nWhat they mean is told in [connectors/%s](../connectors/%s/README.md).\n\n"+
			"| variable | type | secret | what it does |\n| --- | --- | --- | --- |\n", name, name, name)
		for _, v := range d.Platforms[string(name)] {
			fmt.Fprintf(w, "| `%s` | %s | %s | %s |\n", v.Names[0], v.Type, yes(v.Secret), v.Sentence)
		}
	}
	fmt.Fprint(w, "\n## Rules of disputes\n\nThe most specific variable wins:\n\n")
	printScopes(w, d.Rules)
	fmt.Fprintf(w, "The reasons are `%s`.\n\n", strings.ToUpper(joinNames(sla.Reasons())))
	printVariables(w, d.Rules)
	fmt.Fprint(w, "\nA platform may have defaults of its own; `wkctl config print --origin` shows what holds.\n\nOf all stores together:\n\n")
	printVariables(w, d.Overall)
	fmt.Fprint(w, "\n## Rules of parcels\n\nThe most specific variable wins:\n\n")
	printScopes(w, d.Parcels)
	fmt.Fprint(w, "A parcel is watched under the rules of the store that tracks it. Where an answer to a dispute argues with the parcel, those of the store\n"+
		"that sold it win over its tracker's.\n\n")
	printVariables(w, d.Parcels)
	fmt.Fprint(w, "\n## Calendars\n\nA calendar is declared by its zone, and does nothing until a rule names it.\n\n")
	printVariables(w, d.Calendars)
	fmt.Fprint(w, "\n## Dates\n\nA rule of disputes, of parcels (`WK_SHIPMENT__…`) or of how much is asked of a store (`WK_STORE__…`) may hold for a time only. It "+
		"begins and\nends by itself, without a restart. A variable with dates has no value in its scope outside them; where one is needed there, too, the\n"+
		"value for the dates goes behind `…__SEASON`, and the variable itself needs no dates.\n\n")
	printVariables(w, d.Dates)
	printRecipes(w, d.Recipes)
}

// ofStores names variables as they are said of one store.
func ofStores(variables []variableView) []variableView {
	out := slices.Clone(variables)
	for i := range out {
		out[i].Names = out[i].Names[len(out[i].Names)-1:]
	}
	return out
}

// printRecipes prints the tunings as files of variables.
func printRecipes(w io.Writer, recipes []recipeView) {
	fmt.Fprint(w, "\n## Recipes\n\nWhat operators often want, each in one or two variables, for the stores `AE01` and `AE02` on AliExpress. "+
		"`wkctl config diff` shows which\nrules a change touches, and `wkctl rules try` what it would do to the cases on record. Nothing that costs is "+
		"sent unless\n`WK_SLA__ACCEPT_CAP` allows it.\n")
	for _, r := range recipes {
		fmt.Fprintf(w, "\n%s. %s:\n\n```env\n%s\n", r.Number, r.Title, strings.Join(r.Env, "\n"))
		if len(r.Beside) > 0 {
			fmt.Fprintf(w, "# beside\n%s\n", strings.Join(r.Beside, "\n"))
		}
		fmt.Fprint(w, "```\n")
	}
}

// printScopes lists the scopes that variables of one kind have, the most specific first.
func printScopes(w io.Writer, variables []variableView) {
	if len(variables) == 0 {
		return
	}
	names := variables[0].Names
	short := names[0][strings.LastIndex(names[0], "__")+2:]
	for i, name := range slices.Backward(names) {
		fmt.Fprintf(w, "%d. `%s`\n", len(names)-i, strings.TrimSuffix(name, short)+"…")
	}
	fmt.Fprintln(w)
}

func printVariables(w io.Writer, variables []variableView) {
	fmt.Fprintln(w, "| variable | type | default | example | what it does |\n| --- | --- | --- | --- | --- |")
	for _, v := range variables {
		kind := v.Type
		if v.Bounds != "" {
			kind += ": " + string(v.Bounds)
		}
		fmt.Fprintf(w, "| `%s` | %s | %s | %s | %s |\n", v.Names[0], kind, code(v.Default), code(v.Example), v.Sentence)
	}
}

func code(w words) string {
	return cmp.Or(map[bool]string{true: "`" + string(w) + "`"}[w != ""], "")
}
