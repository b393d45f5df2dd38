package csv

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// Words that say what a value or a name is, in lower case.
var (
	missingMarks = wordSet("- -- — ? . na n/a #n/a nan null none nil \\n (null) <null> unknown missing tbd")
	booleanWords = wordSet("true false yes no y n t f on off ja nein oui non si")
	monthNames   = wordSet("jan feb mar apr may jun jul aug sep sept oct nov dec january february march april june july " +
		"august september october november december januar februar märz mär mai juni juli oktober okt dezember dez " +
		"janvier février mars avril juin juillet août septembre octobre novembre décembre enero febrero marzo abril mayo " +
		"junio julio agosto septiembre octubre noviembre diciembre")
	currencies = []string{"$", "€", "£", "¥", "₹", "₽", "₩", "CHF", "EUR", "USD", "GBP", "JPY", "kr", "zł", "US$"}
	// columnNames are what columns are called often enough for a row that has them to be a header.
	columnNames = wordSet("id key name title type kind code date time year month day status state city country region street " +
		"address email mail phone url link price amount total count quantity qty value unit units description comment " +
		"comments note notes text message category group tag tags color colour size weight height width length age gender " +
		"sex first last firstname lastname surname user username customer product item order number no lat lon latitude " +
		"longitude population capital currency language author zip postcode word words fruit level rank score start end " +
		"from to source target label class species question answer " +
		"nummer nr vorname nachname datum zeit ort stadt land straße plz preis menge betrag wert beschreibung bemerkung farbe " +
		"größe titel nom prénom ville pays prix montant quantité couleur nombre apellido ciudad país precio fecha cantidad " +
		"nome cognome città paese prezzo data naam plaats prijs имя фамилия город страна дата цена адрес 名前 名称 姓名 城市 国家 日期 " +
		"价格 العنوان الاسم المدينة البلد التاريخ السعر שם עיר מדינה תאריך מחיר")
)

func wordSet(list string) map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(list) {
		set[word] = true
	}
	return set
}

const (
	longestWord = 24 // bytes
	longestMark = 9
)

// listed reports whether a word is in a list, whatever its case.
func listed(word []byte, list map[string]bool) bool {
	if len(word) > longestWord {
		return false
	}
	var lower [longestWord]byte
	for i, c := range word {
		if c >= utf8.RuneSelf {
			return list[string(bytes.ToLower(word))]
		}
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		lower[i] = c
	}
	return list[string(lower[:len(word)])]
}

func isMissing(value []byte) bool { return len(value) <= longestMark && listed(value, missingMarks) }

func isBoolean(value []byte) bool { return len(value) <= longestMark && listed(value, booleanWords) }
