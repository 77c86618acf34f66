package dashboards

// What is said of one kind of panel alone.

// StatOptions are those of single numbers.
type StatOptions struct {
	Reduce      Reduce `json:"reduceOptions"`
	ColorMode   string `json:"colorMode"`
	GraphMode   string `json:"graphMode"`
	JustifyMode string `json:"justifyMode"`
	Orientation string `json:"orientation"`
	TextMode    string `json:"textMode"`
	WideLayout  bool   `json:"wideLayout"`
	// Change, which is not shown, must be there all the same.
	Change      bool   `json:"showPercentChange"`
	ChangeColor string `json:"percentChangeColorMode"`
}

// Reduce makes one number of a series.
type Reduce struct {
	Calcs  []string `json:"calcs"`
	Fields string   `json:"fields"`
	Values bool     `json:"values"`
}

// BarOptions are those of horizontal bars.
type BarOptions struct {
	Legend        Legend `json:"legend"`
	Reduce        Reduce `json:"reduceOptions"`
	DisplayMode   string `json:"displayMode"`
	Orientation   string `json:"orientation"`
	ValueMode     string `json:"valueMode"`
	NamePlacement string `json:"namePlacement"`
	ShowUnfilled  bool   `json:"showUnfilled"`
	Sizing        string `json:"sizing"`
	MinVizHeight  int    `json:"minVizHeight"`
	MinVizWidth   int    `json:"minVizWidth"`
	MaxVizHeight  int    `json:"maxVizHeight"`
}

// SeriesOptions are those of values over time.
type SeriesOptions struct {
	Legend  Legend  `json:"legend"`
	Tooltip Tooltip `json:"tooltip"`
}

// A Legend names the series.
type Legend struct {
	DisplayMode string   `json:"displayMode"`
	Placement   string   `json:"placement"`
	ShowLegend  bool     `json:"showLegend"`
	Calcs       []string `json:"calcs"`
}

// A Tooltip shows values under the pointer.
type Tooltip struct {
	Mode string `json:"mode"`
	Sort string `json:"sort"`
}

// SeriesStyle says how series are drawn.
type SeriesStyle struct {
	DrawStyle       string   `json:"drawStyle"`
	LineWidth       int      `json:"lineWidth"`
	FillOpacity     int      `json:"fillOpacity"`
	ShowPoints      string   `json:"showPoints"`
	Stacking        Stacking `json:"stacking"`
	ThresholdsStyle Color    `json:"thresholdsStyle"`
}

// Stacking lays series on one another.
type Stacking struct {
	Mode  string `json:"mode"`
	Group string `json:"group"`
}

// TableOptions are those of tables.
type TableOptions struct {
	ShowHeader bool   `json:"showHeader"`
	CellHeight string `json:"cellHeight"`
	FrameIndex int    `json:"frameIndex"`
}

// HeatmapOptions are those of histograms over time.
type HeatmapOptions struct {
	Calculate    bool           `json:"calculate"`
	CellGap      int            `json:"cellGap"`
	Color        HeatmapColor   `json:"color"`
	FilterValues HeatmapFilter  `json:"filterValues"`
	Legend       HeatmapLegend  `json:"legend"`
	RowsFrame    HeatmapRows    `json:"rowsFrame"`
	Tooltip      HeatmapTooltip `json:"tooltip"`
	YAxis        HeatmapAxis    `json:"yAxis"`
	ShowValue    string         `json:"showValue"`
	Exemplars    Exemplars      `json:"exemplars"`
}

// HeatmapColor is the scale of a heat map.
type HeatmapColor struct {
	Mode     string  `json:"mode"`
	Scheme   string  `json:"scheme"`
	Fill     string  `json:"fill"`
	Exponent float64 `json:"exponent"`
	Steps    int     `json:"steps"`
	Reverse  bool    `json:"reverse"`
}

// HeatmapFilter leaves empty cells out.
type HeatmapFilter struct {
	LE float64 `json:"le"`
}

// HeatmapLegend shows the scale.
type HeatmapLegend struct {
	Show bool `json:"show"`
}

// HeatmapRows says what a row stands for.
type HeatmapRows struct {
	Layout string `json:"layout"`
}

// HeatmapTooltip shows a cell under the pointer.
type HeatmapTooltip struct {
	Mode       string `json:"mode"`
	YHistogram bool   `json:"yHistogram"`
}

// HeatmapAxis is the vertical axis.
type HeatmapAxis struct {
	AxisPlacement string `json:"axisPlacement"`
	Unit          string `json:"unit"`
	Reverse       bool   `json:"reverse"`
}

// Exemplars are single observations, which are not shown.
type Exemplars struct {
	Color string `json:"color"`
}
