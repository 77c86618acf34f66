package sla

// Phrases shared by exceptions. ifOnly makes a statement conditional, someDay puts it in the future.
const (
	ifOnly  = "if|unless|otherwise|in case|or your item|possible|possibly|may be|might be|reminder|suspected|sinon|если|якщо|如果|若|可能|falls"
	someDay = "will|would be|to be|shall be|expected|estimated|scheduled|planned|sera|seront|será|serán|previsto|prevista|wird|werden|будет|ожидается|预计|即将|将于|将会|待签收|等待"
	unsure  = ifOnly + "|" + someDay
)

// textRules is the whole table; order decides, see MilestoneFromText.
var textRules = joinRules(silentRules, wayBackRules, endRules, announcedRules, failedRules, customsRules, pickupRules, deliveredRules, movementRules)

func joinRules(groups ...[]textRule) []textRule {
	var out []textRule
	for _, g := range groups {
		out = append(out, g...)
	}
	return out
}

// silentRules are texts in which a word of a later rule means something else, or that tell nothing about where the parcel is.
var silentRules = []textRule{
	{MilestoneUnknown, "delivery appointment|redelivery scheduled|schedule redelivery|redelivery request*|redirection request*|reminder to schedule|" +
		"end of tracking|restriction removed|address corrected|address updated|repacked|case closed|import terminated|return processed|return label|" +
		"delivered & damaged|delivered in part|partially delivered|partial delivery|delivered in domestic|not arrived|incomplete data|" +
		"attempted to pick up|attempt to pick up|pickup attempt*|pick up attempt*|pickup fail*|pick up fail*|collection fail*|unable to collect|" +
		"service provider abnormal|not found & investigat*|not found & search*|returned by customs|a la demande du destinataire|" +
		"n a pas pu être récupéré", ""},
	{MilestoneUnknown, "转单|转投|改派|单号已拦截|拦截|揽收失败|揽收异常|揽件失败|揽件异常|不接单|出库异常|入库异常|仓内异常|签收异常|海关退回|海关申报|" +
		"objeto devolvido aos correios", "签收失败"},
	{MilestoneUnknown, "海关放行", "进口|目的|出口|export*|import*"},
	{MilestoneUnknown, "arrived at customs|arrived customs", ""},
	// UPU wording: handed back *by* customs to the post means cleared, not on its way to the sender.
	{MilestoneOriginTransit, "returned from export customs", ""},
	{MilestoneCustomsReleased, "returned from import customs|returned from customs", ""},
}

// wayBackRules: a text that names both a cause and the way back states the way back.
var wayBackRules = []textRule{
	{MilestoneReturning, "returned to sender & attempt*|returned to sender & refus*|returned to sender & undeliverable|returned to sender & in transit|" +
		"entrega ao remetente|退回&中转|未妥投&退回", ifOnly},
	{MilestoneReturned, "delivered to original sender|delivered to sender|delivered to the sender|delivered to shipper|delivered to the shipper|" +
		"delivered back to*|returned to sender|returned to the sender|returned to shipper|returned to the shipper|returned to seller|" +
		"returned to merchant|returned to the place of shipper|return delivered|return received|return completed|rts received|" +
		"parcel returned|package returned|item returned|shipment returned|received back by sender", unsure + "|being|attempt*|process*|request*|start*|initiat*|on the way|customs|to facility|to depot|to hub|to station|to & facility|to & office|to & depot|to carrier|to courier"},
	{MilestoneReturned, "entregue ao remetente|devolvido ao remetente|devuelto al remitente|entregado al remitente|livré à l'expéditeur|distribué à l'expéditeur|" +
		"вручение отправителю|вручено отправителю|возвращено отправителю|вручено відправнику|вручено & відправнику|повернуто відправнику|" +
		"an den absender zugestellt|החזר לשולח|הוחזר לשולח|退货签收|退回签收|退件签收|退回妥投|退件妥投|退回并签收|已退回寄件人|已退回发件人|已退回卖家|退回已签收|返送先に配達|差出人に返送済み",
		unsure + "|siendo|sendo|не|en cours"},
	{MilestoneReturning, "return to sender|return to the sender|returning to sender|returning to the sender|returning to seller|returning to shipper|return to shipper|" +
		"return to seller|return to origin|return to customer*|returned to sender|returned to the sender|returned to shipper|being returned|be returned to|" +
		"is returning|returned the package|returned the parcel|returned the shipment|return as|return in transit|return shipment|return initiated|" +
		"return started|rts|rto|on its way back|way back to|export cancel*|export & cancelled", ifOnly + "|label|facility|depot"},
	{MilestoneReturning, "em devolução|siendo devuelto|en devolución|devolución al remitente|devuelto al remitente|retourné à l'expéditeur|retour à l'expéditeur|" +
		"renvoyé à l'expéditeur|retour vers l'expéditeur|rücksendung|zurück an den absender|zurück zum absender|an den absender zurück*|возврат|возвращ* & отправител*|" +
		"повернення|повертається|退回给|退回卖家|退回寄件人|退回发件人|退货中|退回中|正在退回|退货仓|退件中|申请退件|安排退回|安排退件|退运|退回途中|差出人に返送|返送中", ifOnly + "|étiquette"},
}

// endRules: the other ends of a journey.
var endRules = []textRule{
	{MilestoneDestroyed, "destroyed|been disposed|package disposed|parcel disposed|shipment disposed|item disposed|disposal completed|destruido|destruída|détruit|уничтожен*|знищено|" +
		"vernichtet|销毁", unsure + "|not"},
	{MilestoneCustomsHeld, "seized|confiscated|apreendid*|incautad*|decomisad*|beschlagnahmt|конфискован*|изъят* & тамож*|решение таможни|没收|查没|罚没", unsure + "|not"},
	{MilestoneLost, "is lost|been lost|was lost|lost by|declared lost|confirmed lost|lost in transit|lost package|lost parcel|lost shipment|lost item|package lost|" +
		"parcel lost|shipment lost|item lost|shipment missing|parcel missing|package missing|item missing|extraviado|extraviada|robado|roubado|não localizado no fluxo|" +
		"colis perdu|est perdu|verloren gegangen|утрачен*|утрата|утеря*|втрачено|遗失|丢失|丢件", ifOnly + "|not lost|found|label|card"},
	{MilestoneDamaged, "damaged|avariado|avariada|dañado|dañada|endommagé|endommagée|beschädigt|поврежден*|пошкоджен*|破损|损坏", ifOnly + "|not damaged|no damage|undamaged|delivered|无破损|未破损|已签收|妥投"},
	{MilestoneCancelled, "shipment cancel*|consignment cancel*|label cancel*|order cancel*|parcel cancel*|package cancel*|delivery cancel*|cancelled by sender|canceled by sender|" +
		"cancelled by shipper|canceled by shipper|cancelled by the sender|canceled by the sender|取消发货|订单取消|订单已取消|运单取消|运单已取消|прием отменен|прийом скасовано|envío cancelado|" +
		"pedido cancelado|envoi annulé|commande annulée|sendung storniert", unsure + "|request*|not"},
}

// announcedRules come before every rule that a "received" would fit.
var announcedRules = []textRule{
	{MilestonePreTransit, "information received|info received|information sent|information submitted|electronic information|electronic notification|data uploaded|data received|" +
		"data transmitted|label created|label printed|label generated|awaiting item|manifest received|not yet received|has not received|not received by|did not receive shipment|" +
		"order received|order created|order processed|order information|request received & ship|collection request|ship request|notified to pick up|pickup scheduled|pick up scheduled|pick up requested|" +
		"pickup requested|pre advice|pre shipment|preparing shipment|preparing for shipment|in preparation|parcel created|shipment created|consignment created|booked|" +
		"information input|notified & electronically|ready to be handed over|ready for collection by carrier|awaiting collection by carrier|pre transit|shipment information",
		"customs|clearance|hold|out for delivery|delivered|recipient"},
	{MilestonePreTransit, "声明发货|待仓库收货|等候发送|等待揽收|待揽收|等待揽件|已下单|下单成功|订单已创建|面单已生成|预报|电子信息已收到|卖家已发货|商家已发货|电子预报|etiqueta creada|" +
		"etiqueta creado|información enviada|información recibida|etiqueta emitida|informações enviadas|annoncé|en cours de préparation|étiquette créée|préparé par l'expéditeur|sendungsdaten|" +
		"elektronisch angekündigt|daten & übermittelt|присвоен трек|электронная регистрация|получены данные|створено|зареєстровано онлайн", ""},
}

// failedRules are failed deliveries; why they failed comes before customs, because buyers refuse parcels for customs charges.
var failedRules = []textRule{
	{MilestoneCustomsHeld, "refused by customs|rejected by customs|таможенным требованиям|отказ в импорте", "not|" + ifOnly},
	{MilestoneDelayed, "hold & refuse*|refuse* to pay|refuse pay|airport & refuse*", "customs|customer refused|customer has refused|delivery refused"},
	{MilestoneDeliveryFailed, "refused|refuse to accept|refuses|recusou|recusado|recusada|rechazado|rechazada|rechazó|refusé|refusée|annahme verweigert|verweigert|отказался|отказ адресата|отказ от получения|" +
		"відмова|відмовився|拒收|拒绝签收|拒签|受取拒否", ifOnly + "|information"},
	{MilestoneDeliveryFailed, "incorrect address|address & incorrect|insufficient address|incomplete address|address & incomplete|wrong address|bad address|invalid address|" +
		"address problem|address issue|address query|known at address|unknown at address|addressee unknown|recipient unknown|no such address|no such number|address not found|" +
		"change the address|street number & incorrect|moved left no address|addressee moved|addressee has moved|recipient has moved|recipient moved|address & insufficient|address & not exist|vacant & undeliverable", "corrected|updated"},
	{MilestoneDeliveryFailed, "endereço incorreto|endereço insuficiente|desconhecido no endereço|endereço inexistente|mudou se|dirección incorrecta|dirección incompleta|dirección errónea|dirección insuficiente|" +
		"adresse & incomplète|adresse & incorrecte|adresse & erronée|erreur d'adressage|manque d'information|n'habite pas|adresse falsch|adresse & unvollständig|empfänger unbekannt|" +
		"неправильный & адрес|неверный адрес|неполный адрес|невірна адреса|地址不详|地址错误|地址有误|地址不完整|查无此人|地址不清|地址欠详|あて所", "corrected"},
	{MilestoneDeliveryFailed, "attempted delivery|delivery attempt*|delivery attempted|attempted & deliver*|attempt to deliver|failed delivery|delivery fail*|failed to deliver|delivery unsuccessful|unsuccessful delivery|" +
		"unsuccessful attempt|cannot be delivered|can't be delivered|could not be delivered|couldn't be delivered|unable to deliver|unable to be delivered|not been able to deliver|could not deliver|" +
		"couldn't deliver|can't deliver|not able to deliver|undeliverable|undelivered|not delivered|not been delivered|notice left|left a notice|missed delivery|not at home|nobody home|nobody at home|" +
		"no one at home|no one home|receiver carded|recipient carded|carded|recipient not available|addressee not available|customer not available|receiver not available|recipient unavailable|" +
		"recipient was unavailable|recipient & absent|addressee absent|business closed|company closed|premises closed|recipients on holiday|recipient on holiday|" +
		"attempted to contact by telephone|unable to contact recipient|unable to contact consignee|unable to gain access|no access to|unsuccessful call", "delivery cycle|reattempt successful|first attempt delivered|not delivered to customs"},
	{MilestoneDeliveryFailed, "unclaimed|not collected|not picked up by|expired at pickup|storage period expired|retention period expired|não retirou|no retirado|non réclamé|nicht abgeholt|" +
		"超时未取|超时未自提|逾期未取|逾期未领|未取件|无人认领", ifOnly},
	{MilestoneDeliveryFailed, "ausente|entrega não efetuada|não atendido|sem expediente|impossibilitam a entrega|tentativa de entrega|não entregue|no entregado|no se pudo entregar|intento de entrega|entrega fallida|" +
		"n'a pu être livré|n'a pas pu être livré|n'a pas pu être distribué|n'a pu être distribué|non livré|destinataire & absent|tentative de livraison|échec de livraison|avis de passage|" +
		"nicht zugestellt|nicht angetroffen|zustellversuch|zustellung nicht möglich|konnte nicht zugestellt|неудачная попытка|попытка вручения|не вручен*|невручение|не удалось вручить|не вдалося вручити|" +
		"не вручено|妥投失败|未妥投|投递失败|投递不成功|未能投递|投递未成功|派送失败|派件失败|派件异常|派送异常|派送不成功|签收失败|配送失败|配送异常|投递异常|收件人不在|无人在家|联系不上|无法联系|電話不通|ご不在|不在のため|ご不在のため",
		"утрачен*|тамож*|退回"},
}

// customsRules: held before released before under way; export clearance is still the sender's side.
var customsRules = []textRule{
	{MilestoneCustomsHeld, "held & customs|held & custom|holding & customs|customs hold|hold by customs|on hold & customs|customs exception|customs issue|customs problem|clearance delay|clearance delayed|clearance exception|" +
		"clearance problem|clearance failed|customs delay|delayed & customs|customs & delayed|detained & customs|detained by customs|retained by customs|stopped by customs|stuck in customs|duty not pa*|" +
		"duties not paid|unpaid dut*|duty unpaid|tax not paid|awaiting payment & customs|awaiting payment & dut*|regulatory review|customs & rejected|customs & documents missing|missing & customs|" +
		"customs requires|customs require|required by customs|requested by customs|needed & customs|customs & need|customs & require additional|customs & requires additional|additional & documents & customs|additional & information & customs|" +
		"clearance information & contact*|clearance & missing|clearance & awaiting payment|clearance & documents required|clearance & additional information|import not authorised|import not authorized|" +
		"awaiting & paperwork & customs|awaiting & documents & customs|retained & customs|shipment & pending & dut*",
		ifOnly + "|released|no longer|completed|cleared|not required|no action|not held|without delay|resolved|not needed|no further|no documents|no additional|avoid*|household|threshold"},
	{MilestoneCustomsHeld, "retenu en douane|retenue en douane|retenu par la douane|retenu & douane|bloqué en douane|bloqué & douane|document* manquant* & douane|droits & impayés|retido & fiscaliza*|retido & alfândega|retido & receita|" +
		"não foi autorizada|documentação não fornecida|aguardando pagamento & despacho|aguardando pagamento & tributo*|aguardando pagamento & imposto*|aguardando documentação|retenido & aduana|retenida & aduana|" +
		"retenido & aduanas|detenido & aduana|incidencia & aduana|documentación & aduana & falta|zoll & angehalten|zoll & zurückgehalten|zoll & verzögerung|zoll & unterlagen & fehlen|" +
		"zoll & festgehalten|отказ в выпуске|выпуск приостановлен|продление срока выпуска|требуется досмотр|задержан* & тамож*|удержан* & тамож*|приостановлен* & тамож*|затриман* & митн*",
		"libéré|libérée|liberado|freigegeben|не задержан"},
	{MilestoneCustomsHeld, "海关扣|扣关|扣留|清关异常|清关失败|清关延误|清关受阻|清关延迟|海关&异常|海关滞留|滞留海关|海关留存|留存待验|海关暂扣|补充清关|清关资料不|清关&缺少|清关&缺失|待缴税|未缴税|未缴关税|待支付关税|等待缴纳|关税未付|税関で保留|税関&保留", "已放行|放行成功|清关完成|已解除|安检"},
	{MilestoneInTransit, "中转国清关|中转&清关", ""},
	{MilestoneOriginTransit, "export & customs|export & clearance|export clearance|export customs|outbound customs|awaiting international departure|under export process|export process*|export & released|" +
		"ausfuhrzoll|ausfuhrverzollung|aduana de exportación|douane export|dédouanement export|экспорт* & тамож*|出口清关|出口报关|出口海关|出口放行|出口申报|海关出口", "import*|进口"},
	{MilestoneCustomsReleased, "out of customs|released & customs|released by custom|release from customs|customs release*|customs cleared|cleared customs|cleared by customs|cleared through customs|cleared & customs|customs clearance complete*|customs & completed|" +
		"clearance complete*|clearance processing complete*|clearance & completed|customs clearance finish*|customs clearance done|clearance & finished|import cleared|release import|import release*|released & government agency|customs inspection completed and released",
		unsure + "|not|pending|before|once|after|when|awaiting|await|until|unreleased|documents completed|form completed|declaration completed"},
	{MilestoneCustomsReleased, "liberado pela alfândega|liberado & alfândega|liberado & aduana|fiscalização aduaneira finalizada|despacho & finalizado|despacho aduanero finalizado|levante aduanero|liberado por aduana*|salida de aduana*|" +
		"dédouané|dédouanée|dédouanement terminé|sorti de douane|libéré & douane|douane & autorisé|verzollt|zoll & freigegeben|verzollung abgeschlossen|zollabfertigung abgeschlossen|zollabwicklung abgeschlossen|выпущено таможней|" +
		"выпуск разрешен|выпуск таможней|таможенное оформление завершено|митне оформлення завершено|випущено митницею|清关完成|清关成功|清关结束|清关完毕|已清关|完成清关|清关放行|清关转交成功|清关已完成|进口&放行|目的&放行|通関手続完了|税関から",
		"не|não|nicht|pas|no ha sido|未|等待|待清关|预计|en espera|aguard*|en attente"},
	{MilestoneCustoms, "customs|custom s|clearance|alfândega|aduana|aduanas|aduanero|aduanera|aduaneira|douane|douanes|douanier|douanière|dédouanement|zoll|zollabfertigung|verzollung|zollamt|таможен*|таможн*|таможе|митн*|митниц*|清关|报关|海关|通関|税関|" +
		"government agency & pending|release & government agency",
		"delivered|left customs|departed customs|electronic data|prior to customs|before customs|出口|安检"},
}

// pickupRules come before delivery: a station that signs for a parcel is not the buyer.
var pickupRules = []textRule{
	{MilestonePickup, "available for pickup|available for pick up|available for collection|ready for pickup|ready for pick up|ready for collection|ready to be collected|ready to collect|awaiting pickup|awaiting pick up|awaiting collection|" +
		"waiting for pickup|waiting for pick up|waiting for collection|waiting for withdrawal|held for recipient pick*|held at post office|hold for pickup|at collection point|at the collection point|collection point for|pick up point|pickup point|" +
		"pickup site|pick up site|parcel shop|parcelshop|access point|self pickup|notification to recipient|sent to the recipient|reminder & recipient|final notice|arrived at & locker|ready in & locker|delivered to & access point|" +
		"delivered to & locker|delivered to a pickup|collect from post office",
		"out for delivery|delivered & collected|has been collected|was collected|collected by recipient|collected by customer|picked up by recipient|picked up by customer|in transit|on its way|on the way|transport delay*|agents|by carrier|will be|drop off|dropped off|by sender|expired"},
	{MilestonePickup, "aguardando retirada|disponível para retirada|disponible para recoger|disponible para retirar|listo para recoger|listo para recogida|disponible dans & point|disponible dans & bureau|disponible en point|disponible en bureau|à disposition dans|à retirer|" +
		"mis à disposition|packstation eingeliefert|packstation & eingeliefert|zur abholung bereit|abholbereit|filiale & abgeholt werden|срок хранения|ожидает в месте вручения|прибыло в место вручения|ожидает адресата|ожидает получения|" +
		"готово до видачі|очікує на отримувача|等待用户自提|等待自提|待自提|自提点签收|自提柜|快递柜签收|代收点|驿站|丰巢|请自提|待取件|请取件|请凭|到达自提点|已到自提点|自提点|已投柜|投柜|窓口で保管|保管中|" +
		"מוכנה לאיסוף", "已取出|已取件|取件成功|истек срок|已被取"},
}

// deliveredRules name who moves the parcel before they accept that it has arrived.
var deliveredRules = []textRule{
	{MilestoneOutForDelivery, "out for delivery|out for final delivery|vehicle for delivery|delivery vehicle|in delivery to|delivery in progress|on its way to the consignee|on its way to the recipient|with delivery courier|with courier for delivery|" +
		"being delivered|is delivering|loaded for delivery|loaded on delivery|on board for delivery|with driver|out with courier|will be delivered today|delivering today|" +
		"reparto|en reparto|salió a reparto|salió para entrega|salio a ruta|saiu para entrega|em rota de entrega|en cours de livraison|en livraison|livraison en cours|in zustellung|zustellfahrzeug|auslieferung|" +
		"передано почтальону|передано курьеру|у курьера|доставка курьером|передано листоноші|у кур'єра|安排投递|出门投递|开始投递|正在投递|派件中|派送中|正在派|正在第&派件|正在派件|投递中|外出派送|安排派送|" +
		"配送中|开始配送|开始派送|持ち出し中|יצא לחלוקה", "delivered successfully|has been delivered|not out for delivery"},
	// A hand-over to somebody in between is worded like a delivery.
	{MilestoneUnknown, "delivered to agent|delivered to & country|delivered to & carrier|delivered to & courier|delivered to & broker|delivered to & partner|delivered to & airline|delivered to & airport|delivered to & hub|delivered to & depot|" +
		"delivered to & warehouse|delivered to & facility|delivered to customs|delivered to & office|delivered to & terminal|delivered to & center|delivered to & centre|delivered to & station|delivered to & service provider|" +
		"delivered to & forwarder|delivered to & operator|delivered by sender|delivered by shipper|delivered & for final delivery|delivered at airport|delivered & usps|delivered to local post|delivered to post|delivered into|delivered from", ""},
	{MilestoneUnknown, "delivered to", "recipient|addressee|consignee|customer|receiver|buyer|neighbour|neighbor|resident|household|home|door|mailbox|mail room|reception|front desk|po box|garage|porch|concierge|person|individual|you"},
	{MilestoneDelivered, "delivered|has been delivered|final delivery|delivery completed|delivery complete|delivery successful|successful delivery|successfully delivered|signed for by|signed by|has been signed|left at front door|left at & door|" +
		"left with individual|left with neighbour|left with neighbor|collected at counter|collected by recipient|collected by customer|collected by addressee|picked up by recipient|picked up by customer|picked up by addressee",
		unsure + "|not delivered|not been delivered|not yet|never|no delivery|isn't|wasn't|cannot|could not|couldn't|unable|unsuccessful|attempt*|fail*|exception|except|refused|return*|sender|shipper|being|ready|damaged|destroyed|lost|part|partial|partially|" +
			"delivery office|delivery unit|to agent|agent for|out for|for final delivery|by carrier from|signed by driver|signed by agent|signed by carrier|signed by courier|airport|customs|from supplier|from warehouse|at warehouse|claim*|abroad|notice"},
	{MilestoneDelivered, "consegnato|consegnata|entregado|entregada|entrega exitosa|entrega efectuada|entregue|entrega efetuada|entrega realizada", unsure + "|no|non|mittente|não|remitente|remetente|agencia|agência|aduana|transportista|transportadora|punto|ponto|oficina|correios|parcial|intento|tentativa|operador|siendo|sendo|unidade|falhou|fallida|devol*"},
	{MilestoneDelivered, "colis est livré|colis a été livré|colis livré|envoi livré|a été distribué|est distribué|livré au destinataire|remis au destinataire|remis à son destinataire|livraison effectuée|distribué au destinataire", unsure + "|pas|n'a|n'est|en cours|être|expéditeur|relais|point de retrait|consigne|bureau|transporteur|douane"},
	{MilestoneDelivered, "zugestellt|erfolgreich zugestellt|zustellung erfolgreich|dem empfänger übergeben|an den empfänger übergeben", "nicht|wird|werden|konnte|absender|packstation|filiale|paketshop|voraussichtlich|noch|falls|wenn|teilweise|benachrichtigung"},
	{MilestoneDelivered, "вручение адресату|вручение & адресату|выдано адресату|вручено|вручено адресату|доручено|получено адресатом|доставлено получателю|доставлено адресату|вручено одержувачу|вручено получателю", "не|неудачн*|невручение|попытка|отправителю|відправнику|будет|буде|ожида*|возврат|если|для|под час"},
	{MilestoneDelivered, "已签收|签收成功|已妥投|妥投成功|投递成功|投递并签收|本人签收|用户签收|客户签收|收件人签收|收件人已签收|买家签收|派送成功|成功派送|妥投完成|配達完了|お届け済み|お届け先にお届け|窓口でお渡し|배달완료|החבילה נמסרה",
		"失败|异常|不成功|退回|退货|退件|拒|驿站|快递柜|自提|丰巢|代收点|未签收|未妥投|未投|待签收|等待|请签收|请注意|预计|即将|网点|仓|机场|海关|中转|转运|供应商|承运商|服务商|司机|揽收|如果|部分|差出人|返送|寄件人"},
}

// movementRules are plain movement, the earlier legs first; holds and delays before it.
var movementRules = []textRule{
	{MilestoneDelayed, "delay|delays|delayed|arriving late|late arrival|running late|on hold|held|hold at|hold the shipment|hold request*|missort*|mis sort*|missent|mis sent|misrouted|rescheduled|service temporarily suspended|parcel blocked|shipment blocked|" +
		"security check failed|rejected by airline|mal encaminhado|retrasado|retraso|atrasado|atraso|retardé|retard|arrivé par erreur|verzögert|verspätet|verzögerung|задержка|засылка|задержано|затримка|延误|延迟|错分|滞留|安检失败|安检不通过|安检未通过|安检退回",
		"no delay|without delay|item being held|not held|release*|no longer|hold removed"},
	{MilestoneExported, "left china|departed china|departed from china|left & country of origin|left origin* country|left the country|departed & country of origin|departed origin country|departed from origin country|dispatch from outward|departure from outward|in transit exported|forwarded to destination country|" +
		"transit to destination country|left originating country|departure from hk|depart from airport|departed from airport|departed from & international airport|departed & international airport|departed origin airport|departure from origin airport|" +
		"airline departed|plane departed|flight took off|left origin airport|departed airport of origin|" +
		"国際交換局から発送|экспорт международной почты|погружено на борт|покинуло территорию|покинуло страну|покинуло границы|航班起飞|航空起飞|飞机起飞|已起飞|起飞离港|已乘机|离境|已离港|离开原寄国|出境|" +
		"a quitté le pays d'origine|quitté & pays d'expédition|salió del país de origen|saiu do país de origem|das ursprungsland verlassen|залишило країну", "transit office|will|scheduled|estimated|awaiting|preparing|预计|计划|准备|等待|即将|domestic"},
	{MilestoneArrived, "destination country|country of destination|inward office of exchange|in transit imported|airport of destination|arrived at destination airport|destination airport|arrived in new zealand|arrived in destination|arrival in destination|" +
		"arrived at the destination airport|pays de destination|pays du destinataire|país de destino|pais de destino|recebido pelos correios do brasil|zielland|импорт международной почты|прибыло в страну назначения|прибуло до країни|到达寄达地|到达目的国|" +
		"到达目的地国|抵达目的国|抵达目的地|到达目的地|目的地机场|到达目的港|到达寄达国|到达目的地机场|名宛国到着",
		"to destination country|forwarded|toward*|to the destination country|departure from inward|en route to|vers le pays|to country of destination|will|estimated|delivered|sorti du|预计|即将|发往|飞往|hacia|para o país"},
	{MilestoneAccepted, "picked up|in possession of item|item accepted|parcel accepted|shipment accepted|package accepted|accepted at & post office|accepted by carrier|acceptance|received by australia post|received by carrier|received by the carrier|received by post|received from sender|" +
		"received item from sender|received from shipper|collected from sender|collected from shipper|collected by carrier|origin scan|handed over by shipper|handed over to carrier|registered by the post office|tendered at|posted at|posting|dropped off|" +
		"shipment collected|parcel collected by|coletado|postado|objeto postado|admitido|recogido|recolectado|ramassé|déposé dans|pris en charge|abgeholt|eingeliefert|vom absender|" +
		"прием|принято в отделении|принят в отделении|прийнято|прийом|已收寄|已收取|已收货|已揽收|已揽件|揽收成功|揽件成功|收寄|收件|揽收|引受",
		"not|packstation|recipient|customer collected|prior carrier|origin sort|agent|to be|scheduled|will|收件人|скасовано|отменен|未|等待|待|失败|异常"},
	{MilestoneOriginTransit, "origin facility|origin sort*|origin hub|origin port|departure transport hub|departure location|center of origin|centre of origin|port of shipment|ready to load*|loading plane|loaded on plane|air carrier|airline & handed|handed over to airline|" +
		"collection transport|shipment fulfilled|total order out|to service provider|outward office of exchange|outbound & sorting|origin airport|airport of origin|departure airport|airport of departure|unidade de exportação|território d'expédition|territoire d'expédition|bureau d'échange d'origine|" +
		"国際交換局に到着|交航|交运航空|起飞地机场|航站|国际互换局|互换局|准备发出|天竺|下一站|正在发往|入库成功|出库成功|已入库|已出库|打包完成|分拨中心已入库|国际中心|место международного обмена & отправ*", "destination|目的|进口|到达寄达|安检失败|离开处理中心"},
	{MilestoneInTransit, "in transit|on the way|on its way|departed|departure scan|arrived at|arrival at|arrive at|arrival scan|at local|at parcel delivery centre|at delivery depot|processed at|item processed|processed through|scanned at|sorted|sorting|grouped at|received from prior carrier|" +
		"service provider received|shipment departed|left facility|left the facility|forwarded|forwarding|international transport|transit office of exchange|inward office of exchange|flight departed|unloaded from|linehaul|hand over to third party|handed over to local|" +
		"local carrier at destination|processing at delivery|scheduled for delivery|delivery office|reached the parcel cent*|processing cent*|courier processing facility|in transit to|distribution center|distribution centre|arrived to|arrived in",
		"linehaul office|flight arrived|pre advice"},
	{MilestoneInTransit, "tránsito|en tránsito|em trânsito|encaminhado|chegou na agência|leido en destino|en camino|acheminement|en transit|plateformes logistiques|plateforme|article traité|paketzentrum|in transit|unterwegs|weiterleitung|transport|" +
		"сортировк*|сортувальн*|сортировочн*|покинуло|прибыло|в пути|в дорозі|надходження|відправлення з|отправлено|到达处理中心|离开处理中心|处理中心|分拣中心|分拨中心|集散中心|在途|运输中|转运中|干线中转|中转地|到达中转|转运中心|已发出|到着|から出発|中継",
		"место международного обмена"},
}
