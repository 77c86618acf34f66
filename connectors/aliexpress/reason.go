package aliexpress

import (
	"strings"

	"watchkeeper/sla"
)

// reasonWords tells the platform's reasons by words of their English or Chinese names, the special ones before the general: no closed list
// is published (unsure), and the names change.
var reasonWords = []struct {
	reason sla.Reason
	words  []string
}{
	{sla.ReasonCounterfeit, []string{"counterfeit", "fake", "replica", "假货", "仿品", "侵权"}},
	{sla.ReasonDamaged, []string{"damage", "broken", "破损", "损坏"}},
	{sla.ReasonChangedMind, []string{"no longer want", "don't want", "do not want", "changed my mind", "no reason", "not needed", "无理由", "不想要", "买错"}},
	{sla.ReasonMissing, []string{"shortage", "quantity", "missing", "incomplete", "短装", "数量", "少发", "漏发"}},
	{sla.ReasonWrongItem, []string{"wrong item", "wrong product", "wrong goods", "different product", "different item", "发错", "错发"}},
	{sla.ReasonNotReceived, []string{
		"not received", "not receive", "not arrived", "not arrive", "hasn't arrived", "didn't receive", "undelivered", "not delivered", "in transit",
		"tracking", "logistics", "customs", "shipping", "未收到", "没有收到", "没收到", "物流", "未到", "海关", "运单",
	}},
	{sla.ReasonNotAsDescribed, []string{
		"as described", "description", "quality", "size", "color", "colour", "material", "style", "not work", "defect", "doesn't match", "货不对版",
		"质量", "不符", "描述", "尺寸", "颜色", "无法使用",
	}},
	{sla.ReasonOther, []string{"other", "其他", "其它"}},
}

// reasonOf maps the first of the texts that is known; unknown ones stay unknown.
func reasonOf(texts ...text) sla.Reason {
	for _, t := range texts {
		name := strings.ReplaceAll(t.word(), "’", "'")
		for _, r := range reasonWords {
			for _, w := range r.words {
				if strings.Contains(name, w) {
					return r.reason
				}
			}
		}
	}
	return sla.ReasonUnknown
}
