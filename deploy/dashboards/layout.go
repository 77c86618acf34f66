package dashboards

import "strings"

// What all dashboards have in common.
const (
	tag    = "watchkeeper"
	schema = 39 // Grafana 11.0; later ones raise it by themselves
	width  = 24 // of the grid
	red    = "red"
	orange = "orange"
	green  = "green"
	blue   = "blue"
)

// A board is a dashboard as it is declared.
type board struct {
	uid, title, about, refresh string
	variables                  []Variable // beside the data source
	rows                       []row
}

// A row has panels of one height, which go on in the next line where they are wider than the grid. Without a title it has no heading: it goes on with
// what the one before it is about.
type row struct {
	title  string
	high   int
	panels []panel
}

// A panel is declared by what it asks and how that is to be read.
type panel struct {
	title  string
	does   string   // what to do when it is red, in one sentence
	alerts []string // whose runbooks send their reader here
	kind   kind
	wide   int
	unit   string
	levels []Step
	empty  string // what is said when there is no value
	ask    []ask
	hide   []string // columns of a table
	tint   []tint   // colours of single series
}

// A tint is the colour of the series with a name.
type tint struct{ series, colour string }

func (t tint) override() Override {
	colour := map[string]string{"mode": "fixed", "fixedColor": t.colour}
	return Override{Matcher: Matcher{ID: "byName", Options: t.series}, Properties: []Property{{ID: "color", Value: colour}}}
}

// An ask is one query, and how its series are named.
type ask struct{ expr, legend string }

// prometheus is the data source that was chosen at the top.
func prometheus() *Source { return &Source{Type: "prometheus", UID: "${datasource}"} }

func (b board) build() Dashboard {
	d := Dashboard{
		UID: tag + "-" + b.uid, Title: b.title, Description: b.about, Tags: []string{tag}, SchemaVersion: schema, Editable: true, GraphTooltip: 1,
		Timezone: "browser", Refresh: b.refresh, Time: Span{From: "now-24h", To: "now"}, Annotations: Annotations{List: []struct{}{}},
		Templating: Templating{List: append([]Variable{{Type: "datasource", Name: "datasource", Label: "Prometheus", Query: "prometheus", Refresh: 1}}, b.variables...)},
		Links: []Link{{Type: "dashboards", Title: "Watchkeeper", Icon: "external link", Tooltip: "The other dashboards", Tags: []string{tag},
			IncludeVars: true, KeepTime: true}},
	}
	y := 0
	for _, r := range b.rows {
		if r.title != "" {
			closed := false
			d.Panels = append(d.Panels, Panel{ID: len(d.Panels) + 1, Type: "row", Title: r.title, GridPos: Place{H: 1, W: width, Y: y}, Collapsed: &closed, Panels: &[]Panel{}})
			y++
		}
		x := 0
		for _, p := range r.panels {
			if x+p.wide > width {
				x, y = 0, y+r.high
			}
			d.Panels = append(d.Panels, p.build(len(d.Panels)+1, Place{H: r.high, W: p.wide, X: x, Y: y}))
			x += p.wide
		}
		y += r.high
	}
	return d
}

func (p panel) build(id int, at Place) Panel {
	out := Panel{
		ID: id, Type: p.kind.name, Title: p.title, Description: p.does, GridPos: at, Datasource: prometheus(), Alerts: p.alerts,
		FieldConfig: &Fields{Defaults: p.field(), Overrides: []Override{}}, Options: p.kind.options, Interval: p.kind.interval,
	}
	for _, t := range p.tint {
		out.FieldConfig.Overrides = append(out.FieldConfig.Overrides, t.override())
	}
	if len(p.alerts) > 0 {
		out.Description += " Runbook: " + strings.Join(p.alerts, ", ") + "."
	}
	for i, a := range p.ask {
		t := Target{RefID: string(rune('A' + i)), Datasource: prometheus(), Expr: a.expr, Legend: a.legend, Format: p.kind.format, EditorMode: "code"}
		t.Instant, t.Range = p.kind.instant, !p.kind.instant
		out.Targets = append(out.Targets, t)
	}
	if len(p.hide) > 0 {
		exclude := map[string]bool{}
		for _, column := range p.hide {
			exclude[column] = true
		}
		out.Transformations = []Transform{{ID: "organize", Options: Organize{Exclude: exclude}}}
	}
	return out
}

func (p panel) field() Field {
	f := Field{Unit: p.unit, NoValue: p.empty, Color: Color{Mode: p.kind.color}, Thresholds: Thresholds{Mode: "absolute", Steps: p.levels}, Custom: p.kind.custom}
	if len(p.levels) == 0 {
		f.Thresholds.Steps = []Step{{Color: blue}}
	}
	if p.kind.fromZero {
		zero := 0.0
		f.Min = &zero
	}
	return f
}

// above is red from a value on, and orange from another, lower one.
func above(warn, bad float64) []Step {
	return []Step{{Color: green}, {Color: orange, Value: &warn}, {Color: red, Value: &bad}}
}

// from is red from a value on.
func from(bad float64) []Step { return []Step{{Color: green}, {Color: red, Value: &bad}} }

// to is red below a value.
func to(good float64) []Step { return []Step{{Color: red}, {Color: green, Value: &good}} }

// below is red below a value, and orange below another, higher one.
func below(warn, bad float64) []Step {
	return []Step{{Color: red}, {Color: orange, Value: &bad}, {Color: green, Value: &warn}}
}

// choose is a variable whose values are those of a label; with every, one that may also have values which no series has.
func choose(name, label, metric string, every bool) Variable {
	ask := "label_values(" + metric + ", " + name + ")"
	v := Variable{
		Type: "query", Name: name, Label: label, Query: Query{Type: 1, Query: ask, RefID: "PrometheusVariableQueryEditor-VariableQuery"}, Definition: ask,
		Datasource: prometheus(), Refresh: 2, Sort: 1, Multi: true, IncludeAll: true, Current: &Choice{Text: []string{"All"}, Value: []string{"$__all"}},
	}
	if every {
		v.AllValue = ".*"
	}
	return v
}

func platform() Variable { return choose("platform", "Platform", "watchkeeper_polls_total", true) }

func store() Variable {
	return choose("store", "Store", "watchkeeper_feed_last_success_timestamp_seconds", true)
}
