package sla

import (
	"fmt"
	"strings"
)

// Currency is an ISO 4217 alphabetic code in upper case, for example "USD". The zero value means "no currency".
type Currency string

// isoCodes are the active alphabetic codes of ISO 4217, funds and metals left out.
const isoCodes = " AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF " +
	"CHF CLF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG " +
	"HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK " +
	"MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD " +
	"SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYI UYU UYW UZS VED " +
	"VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG "

// Exponents of ISO 4217 that differ from 2.
const (
	exponent0 = " BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF "
	exponent3 = " BHD IQD JOD KWD LYD OMR TND "
	exponent4 = " CLF UYW "
)

// ParseCurrency accepts a code in either case with blanks around it. An unknown code is an error.
func ParseCurrency(code string) (Currency, error) {
	c := strings.ToUpper(strings.TrimSpace(code))
	if len(c) != 3 || strings.Contains(c, " ") || !strings.Contains(isoCodes, " "+c+" ") {
		return "", fmt.Errorf("currency %q: %w", clip(code, 8), ErrCurrency)
	}
	return Currency(c), nil
}

// Exponent is the number of decimal digits of the minor unit: 2 for USD, 0 for JPY, 3 for KWD.
func (c Currency) Exponent() int {
	key := " " + string(c) + " "
	switch {
	case strings.Contains(exponent0, key):
		return 0
	case strings.Contains(exponent3, key):
		return 3
	case strings.Contains(exponent4, key):
		return 4
	}
	return 2
}

// clip shortens foreign text so that an error never carries a page of it.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
