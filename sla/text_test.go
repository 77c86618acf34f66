package sla_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"watchkeeper/sla"
)

func TestMilestoneFromTextReadsPlainStatements(t *testing.T) {
	t.Parallel()
	for want, texts := range plainStatements {
		for _, text := range texts {
			if got, ok := sla.MilestoneFromText(text); got != want || ok != (want != sla.MilestoneUnknown) {
				t.Errorf("%q: want %v, got %v (%v)", text, want, got, ok)
			}
		}
	}
}

var plainStatements = map[sla.Milestone][]string{
	sla.MilestonePreTransit:      {"Electronic order data received", "Shipping label created, awaiting item", "卖家已发货，等待揽收"},
	sla.MilestoneAccepted:        {"Carrier is in possession of item", "Posting / Collection", "【深圳市】已收件,揽投员:张", "Objeto postado"},
	sla.MilestoneOriginTransit:   {"Export customs clearance finished", "出口海关放行", "到达【广州国际互换局】", "Arrived at airport of departure", "Returned from export customs"},
	sla.MilestoneExported:        {"Departed country of origin", "航班已起飞", "A quitté le pays d'origine"},
	sla.MilestoneArrived:         {"Arrived in the destination country", "已到达目的国", "Flight arrived at destination airport"},
	sla.MilestoneCustoms:         {"Presented to customs", "Clearance in progress", "进口清关中", "Передано таможне", "Customs clearance started, no action required", "Still awaiting customs release"},
	sla.MilestoneCustomsHeld:     {"Package is held by customs pending documents", "Clearance event: customs clearance delay", "海关查验扣留", "Посылка задержана таможней", "Retenido en aduana", "Import refused by customs"},
	sla.MilestoneCustomsReleased: {"Customs clearance completed", "Inbound out of customs", "Released by customs", "进口清关完成", "Liberado por aduana", "Item returned from import customs"},
	sla.MilestoneInTransit:       {"Departed DHL facility in Leipzig", "离开【深圳处理中心】", "En tránsito"},
	sla.MilestoneOutForDelivery:  {"Out for Delivery, Expected Delivery by 9:00pm", "快递员正在派送", "Die Sendung wurde in das Zustellfahrzeug geladen"},
	sla.MilestonePickup:          {"Available for Pickup, held until June 3", "已到达驿站，请凭取件码及时领取", "您的快件已签收，签收人：菜鸟驿站", "Delivered to parcel locker access point"},
	sla.MilestoneDeliveryFailed:  {"It could not be delivered, we left a notice", "投递不成功，收件人不在家", "Die Sendung konnte nicht zugestellt werden", "The recipient refused the parcel", "Undelivered", "No entregado"},
	sla.MilestoneDelivered: {"DELIVERED", "Your item was delivered in or at the mailbox at 1:24 pm", "Delivered, signed for by: J", "Delivered to a neighbor", "Entregado al destinatario", "Die Sendung wurde erfolgreich zugestellt",
		"Votre colis est livré au gardien", "Получено адресатом. Вручение адресату", "快件已签收，期待再次为您服务", "Ｄｅｌｉｖｅｒｅｄ"},
	sla.MilestoneDelayed:   {"Your package is delayed due to weather", "Shipment on hold", "航班延误"},
	sla.MilestoneReturning: {"The item is being returned to the sender because it was refused", "包裹正在退回寄件人", "Посылка возвращается отправителю", "Retour à l'expéditeur en cours"},
	sla.MilestoneReturned:  {"Delivered to sender", "The item was returned to the sender", "退件已签收，退件签收", "Entregado al remitente", "Вручено отправителю"},
	sla.MilestoneLost:      {"The parcel has been lost", "包裹丢失"},
	sla.MilestoneDamaged:   {"Package damaged in transit", "外包装破损"},
	sla.MilestoneDestroyed: {"The parcel was destroyed by the carrier", "包裹已销毁"},
	sla.MilestoneCancelled: {"Shipment cancelled by the shipper", "订单已取消"},
	sla.MilestoneUnknown: {"", "  ", "???", "12345", "xyzzy", "Delivered to agent for final delivery", "Delivered to local courier", "Parcel delivered to the airline", "Delivered into the network",
		"Your package will be delivered tomorrow", "If you missed it, it may have been delivered to a neighbour", "If not collected, the item will be returned to sender", "Proof of delivery requested",
		"Shipment cancellation requested", "Lost and found desk", "海关放行", "预计明日签收成功", "Expected delivery tomorrow", "Return label printed"},
}

// costly are the milestones that start or stop money; a text never states one of them by accident.
func TestMilestoneFromTextIsNotFooledByCostlyWords(t *testing.T) {
	t.Parallel()
	costly := map[sla.Milestone]bool{sla.MilestoneDelivered: true, sla.MilestoneReturned: true, sla.MilestoneReturning: true,
		sla.MilestoneLost: true, sla.MilestoneCustomsHeld: true, sla.MilestoneDestroyed: true, sla.MilestoneCancelled: true}
	for _, text := range []string{
		"Not yet delivered", "To be delivered", "Delivered in part", "Package returned to carrier facility", "未签收", "待签收", "请签收", "包裹未妥投", "海外仓已签收", "Не вручено",
		"Objeto ainda não entregue", "Será entregado mañana", "Wird morgen zugestellt", "Votre colis sera livré, il n'a pas été livré", "The parcel was not lost", "Customs clearance, nothing held back: completed",
		"Delivered to customs", "Delivered to the sorting center", "Estimated delivery: signed by the recipient", "Collected from sender", "Out for final delivery", "Redelivery scheduled",
	} {
		if got, _ := sla.MilestoneFromText(text); costly[got] {
			t.Errorf("%q: want nothing costly, got %v", text, got)
		}
	}
}

func TestMilestoneFromTextReadsNoMoreThanTheBeginning(t *testing.T) {
	t.Parallel()
	if got, ok := sla.MilestoneFromText(strings.Repeat("文 ", 5000) + "delivered"); ok {
		t.Errorf("want nothing from the end of a long text, got %v", got)
	}
	if got, _ := sla.MilestoneFromText("delivered \xff\xfe" + strings.Repeat("é", 5000)); got != sla.MilestoneDelivered {
		t.Errorf("want delivered from the beginning of a long text with broken bytes, got %v", got)
	}
}

func FuzzMilestoneFromText(f *testing.F) {
	for _, texts := range plainStatements {
		f.Add(texts[0])
	}
	f.Add("\xff\xfe\x00 delivered")
	f.Fuzz(func(t *testing.T, text string) {
		m, ok := sla.MilestoneFromText(text)
		if ok == (m == sla.MilestoneUnknown) {
			t.Errorf("%q: %v and %v disagree", text, m, ok)
		}
		if utf8.ValidString(text) && len(text) < 100 {
			if again, _ := sla.MilestoneFromText("  " + strings.ReplaceAll(text, " ", "  ")); again != m {
				t.Errorf("%q: %v, with more blanks %v", text, m, again)
			}
		}
	})
}

func BenchmarkMilestoneFromText(b *testing.B) {
	for b.Loop() {
		sla.MilestoneFromText("In transit to next facility in SUNSHINE WEST VIC")
	}
}

// labelled is where the labelled texts are, when they are there.
const labelled = "../../shared/reference/logistics/events-train.tsv"

// The labels are finer than the milestones; where a label folds into more than one, each of them is right. Unknown means that
// silence is right.
var labelMilestones = map[string][]sla.Milestone{
	"pre_shipment": {sla.MilestonePreTransit}, "accepted": {sla.MilestoneAccepted}, "origin_transit": {sla.MilestoneOriginTransit},
	"export_customs": {sla.MilestoneOriginTransit}, "export_held": {sla.MilestoneCustomsHeld, sla.MilestoneDelayed},
	"security_rejected": {sla.MilestoneDelayed}, "exported": {sla.MilestoneExported},
	"intl_transit": {sla.MilestoneInTransit, sla.MilestoneExported}, "arrived_destination": {sla.MilestoneArrived},
	"customs_processing": {sla.MilestoneCustoms}, "customs_held": {sla.MilestoneCustomsHeld}, "customs_released": {sla.MilestoneCustomsReleased},
	"destination_transit": {sla.MilestoneInTransit, sla.MilestoneArrived}, "in_transit": {sla.MilestoneInTransit},
	"out_for_delivery": {sla.MilestoneOutForDelivery}, "available_for_pickup": {sla.MilestonePickup}, "delivered": {sla.MilestoneDelivered},
	"delivery_failed_absent": {sla.MilestoneDeliveryFailed}, "delivery_failed_other": {sla.MilestoneDeliveryFailed},
	"address_problem": {sla.MilestoneDeliveryFailed}, "refused": {sla.MilestoneDeliveryFailed}, "unclaimed": {sla.MilestoneDeliveryFailed},
	"returning": {sla.MilestoneReturning}, "returned": {sla.MilestoneReturned}, "returned_before_export": {sla.MilestoneReturning},
	"delayed": {sla.MilestoneDelayed}, "on_hold": {sla.MilestoneDelayed}, "exception_other": {sla.MilestoneUnknown},
	"lost": {sla.MilestoneLost}, "damaged": {sla.MilestoneDamaged}, "seized_or_destroyed": {sla.MilestoneDestroyed, sla.MilestoneCustomsHeld},
	"cancelled": {sla.MilestoneCancelled}, "info": {sla.MilestoneUnknown}, "ambiguous": {sla.MilestoneUnknown},
}

func TestMilestoneFromTextAgreesWithLabelledTexts(t *testing.T) {
	t.Parallel()
	body, err := os.ReadFile(labelled)
	if err != nil {
		t.Skip("the labelled texts are not part of this repository")
	}
	total, right, wrong := 0, 0, 0
	for line := range strings.SplitSeq(strings.TrimSpace(string(body)), "\n") {
		cells := strings.Split(line, "\t")
		want, known := labelMilestones[cells[min(3, len(cells)-1)]]
		if !known {
			continue // the heading
		}
		total++
		switch got, ok := sla.MilestoneFromText(cells[0]); {
		case slices.Contains(want, got):
			right++
		case ok:
			wrong++
			t.Logf("%s: got %v for %q", cells[3], got, cells[0])
		}
	}
	if total < 500 || right*100 < total*97 || wrong*200 > total {
		t.Errorf("want at least 97%% of 500 or more texts right and at most 0.5%% wrong, got %d right and %d wrong of %d", right, wrong, total)
	}
}
