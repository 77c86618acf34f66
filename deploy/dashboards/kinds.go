package dashboards

// A kind is a way to show values.
type kind struct {
	name     string // of Grafana's plugin
	format   string
	color    string
	instant  bool // the present value is asked for, and none before it
	fromZero bool
	interval string // the shortest time that one value stands for
	custom   any
	options  any
}

// countedOver is the shortest time over which events are counted: several scrapes.
const countedOver = "5m"

const automatic = "auto"

func last() Reduce { return Reduce{Calcs: []string{"lastNotNull"}} }

// number shows present values in large letters, in the colour of their level.
func number() kind {
	return kind{name: "stat", format: "time_series", color: "thresholds", instant: true, options: StatOptions{
		Reduce: last(), ColorMode: "background", GraphMode: "none", JustifyMode: automatic, Orientation: automatic, TextMode: automatic, WideLayout: true,
		ChangeColor: "standard",
	}}
}

// ranking shows present values as bars.
func ranking() kind {
	return kind{name: "bargauge", format: "time_series", color: "thresholds", instant: true, fromZero: true, options: BarOptions{
		Reduce: last(), DisplayMode: "basic", Orientation: "horizontal", ValueMode: "color", NamePlacement: automatic, ShowUnfilled: true, Sizing: automatic,
		Legend: Legend{DisplayMode: "list", Placement: "bottom", Calcs: []string{}}, MinVizHeight: 16, MinVizWidth: 8, MaxVizHeight: 40,
	}}
}

// lines shows values over time, with a line where a level begins.
func lines() kind {
	return series(SeriesStyle{DrawStyle: "line", LineWidth: 1, Stacking: Stacking{Mode: "none", Group: "A"}}, false)
}

// stack shows parts of a whole over time.
func stack() kind {
	return series(SeriesStyle{DrawStyle: "line", LineWidth: 1, FillOpacity: 40, Stacking: Stacking{Mode: "normal", Group: "A"}}, true)
}

// bars shows over time how often something happened: queries take the increase over $__interval.
func bars() kind {
	k := series(SeriesStyle{DrawStyle: "bars", LineWidth: 1, FillOpacity: 80, Stacking: Stacking{Mode: "normal", Group: "A"}}, true)
	k.interval = countedOver
	return k
}

func series(style SeriesStyle, fromZero bool) kind {
	style.ShowPoints, style.ThresholdsStyle = "never", Color{Mode: "dashed"}
	return kind{name: "timeseries", format: "time_series", color: "palette-classic", fromZero: fromZero, custom: style, options: SeriesOptions{
		Legend: Legend{DisplayMode: "list", Placement: "bottom", ShowLegend: true, Calcs: []string{}}, Tooltip: Tooltip{Mode: "multi", Sort: "desc"},
	}}
}

// table shows the labels of present series.
func table() kind {
	return kind{name: "table", format: "table", color: "thresholds", instant: true, options: TableOptions{ShowHeader: true, CellHeight: "sm"}}
}

// spread shows over time how values are spread over the buckets of a histogram: queries take the increase over $__interval.
func spread(unit string) kind {
	return kind{name: "heatmap", format: "heatmap", color: "thresholds", interval: countedOver, options: HeatmapOptions{
		CellGap: 1, Color: HeatmapColor{Mode: "scheme", Scheme: "Greens", Fill: "dark-green", Exponent: 0.5, Steps: 64},
		FilterValues: HeatmapFilter{LE: 1e-9}, Legend: HeatmapLegend{Show: true}, RowsFrame: HeatmapRows{Layout: automatic},
		Tooltip: HeatmapTooltip{Mode: "single", YHistogram: true}, YAxis: HeatmapAxis{AxisPlacement: "left", Unit: unit}, ShowValue: automatic,
		Exemplars: Exemplars{Color: "rgba(255,0,255,0.7)"},
	}}
}
