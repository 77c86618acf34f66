package dashboards

// The JSON of Grafana, as far as it is used here. Zero values that Grafana has a default for are left out.

// A Dashboard is what Grafana imports.
type Dashboard struct {
	UID           string      `json:"uid"`
	Title         string      `json:"title"`
	Description   string      `json:"description"`
	Tags          []string    `json:"tags"`
	SchemaVersion int         `json:"schemaVersion"`
	Editable      bool        `json:"editable"`
	GraphTooltip  int         `json:"graphTooltip"`
	Timezone      string      `json:"timezone"`
	Refresh       string      `json:"refresh"`
	Time          Span        `json:"time"`
	Templating    Templating  `json:"templating"`
	Annotations   Annotations `json:"annotations"`
	Links         []Link      `json:"links"`
	Panels        []Panel     `json:"panels"`
}

// A Span is the time that is shown.
type Span struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Templating holds the variables.
type Templating struct {
	List []Variable `json:"list"`
}

// A Variable is chosen at the top of a dashboard. Query is the type of a data source, or a Query.
type Variable struct {
	Type       string  `json:"type"`
	Name       string  `json:"name"`
	Label      string  `json:"label"`
	Query      any     `json:"query"`
	Definition string  `json:"definition,omitempty"`
	Datasource *Source `json:"datasource,omitempty"`
	Refresh    int     `json:"refresh"`
	Sort       int     `json:"sort,omitempty"`
	Multi      bool    `json:"multi"`
	IncludeAll bool    `json:"includeAll"`
	AllValue   string  `json:"allValue,omitempty"`
	Current    *Choice `json:"current,omitempty"`
}

// A Query asks Prometheus for the values of a variable.
type Query struct {
	Type  int    `json:"qryType"`
	Query string `json:"query"`
	RefID string `json:"refId"`
}

// A Choice is what a variable has until somebody chooses.
type Choice struct {
	Text  []string `json:"text"`
	Value []string `json:"value"`
}

// Annotations are marks in the graphs; none are used.
type Annotations struct {
	List []struct{} `json:"list"`
}

// A Link leads from one dashboard to all with its tags.
type Link struct {
	Type        string   `json:"type"`
	Title       string   `json:"title"`
	Icon        string   `json:"icon"`
	Tooltip     string   `json:"tooltip"`
	URL         string   `json:"url"`
	Tags        []string `json:"tags"`
	AsDropdown  bool     `json:"asDropdown"`
	IncludeVars bool     `json:"includeVars"`
	KeepTime    bool     `json:"keepTime"`
	TargetBlank bool     `json:"targetBlank"`
}

// A Source names where a panel asks.
type Source struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

// A Panel is one picture, or the heading of a row.
type Panel struct {
	ID              int         `json:"id"`
	Type            string      `json:"type"`
	Title           string      `json:"title"`
	Description     string      `json:"description,omitempty"`
	GridPos         Place       `json:"gridPos"`
	Datasource      *Source     `json:"datasource,omitempty"`
	Interval        string      `json:"interval,omitempty"`
	Targets         []Target    `json:"targets,omitempty"`
	FieldConfig     *Fields     `json:"fieldConfig,omitempty"`
	Options         any         `json:"options,omitempty"`
	Transformations []Transform `json:"transformations,omitempty"`
	Collapsed       *bool       `json:"collapsed,omitempty"` // of the heading of a row
	Panels          *[]Panel    `json:"panels,omitempty"`    // of the heading of a row: none, as it is not collapsed

	// Alerts are those whose runbook sends its reader here.
	Alerts []string `json:"-"`
}

// A Place is where a panel is, on a grid that is 24 wide.
type Place struct {
	H int `json:"h"`
	W int `json:"w"`
	X int `json:"x"`
	Y int `json:"y"`
}

// A Target is one question to Prometheus.
type Target struct {
	RefID      string  `json:"refId"`
	Datasource *Source `json:"datasource"`
	Expr       string  `json:"expr"`
	Legend     string  `json:"legendFormat,omitempty"`
	Format     string  `json:"format"`
	Instant    bool    `json:"instant"`
	Range      bool    `json:"range"`
	EditorMode string  `json:"editorMode"`
}

// Fields say how values are shown.
type Fields struct {
	Defaults  Field      `json:"defaults"`
	Overrides []Override `json:"overrides"`
}

// A Field is how one kind of value is shown.
type Field struct {
	Unit       string     `json:"unit"`
	Min        *float64   `json:"min,omitempty"`
	NoValue    string     `json:"noValue,omitempty"`
	Color      Color      `json:"color"`
	Thresholds Thresholds `json:"thresholds"`
	Custom     any        `json:"custom,omitempty"`
}

// A Color says where colours come from.
type Color struct {
	Mode string `json:"mode"`
}

// Thresholds colour a value.
type Thresholds struct {
	Mode  string `json:"mode"`
	Steps []Step `json:"steps"`
}

// A Step has its colour from its value on; the first one has none.
type Step struct {
	Color string   `json:"color"`
	Value *float64 `json:"value"`
}

// An Override changes how the field with a name is shown.
type Override struct {
	Matcher    Matcher    `json:"matcher"`
	Properties []Property `json:"properties"`
}

// A Matcher chooses fields.
type Matcher struct {
	ID      string `json:"id"`
	Options string `json:"options"`
}

// A Property is one thing that an Override changes.
type Property struct {
	ID    string `json:"id"`
	Value any    `json:"value"`
}

// A Transform changes a table before it is shown.
type Transform struct {
	ID      string   `json:"id"`
	Options Organize `json:"options"`
}

// Organize leaves columns out.
type Organize struct {
	Exclude map[string]bool `json:"excludeByName"`
}
