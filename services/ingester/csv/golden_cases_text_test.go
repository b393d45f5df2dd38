package csv_test

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"

	"golang.org/x/text/encoding/htmlindex"
)

// utf16Text encodes a text, byte order mark included where it has one.
func utf16Text(text string, bigEndian bool) string {
	var order binary.AppendByteOrder = binary.LittleEndian
	if bigEndian {
		order = binary.BigEndian
	}
	var out []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		out = order.AppendUint16(out, unit)
	}
	return string(out)
}

// in encodes a text by the label of an encoding.
func in(label, text string) string {
	enc, err := htmlindex.Get(label)
	if err != nil {
		panic(err)
	}
	out, err := enc.NewEncoder().String(text)
	if err != nil {
		panic(err)
	}
	return out
}

// Tables in several languages, each of the columns below.
const (
	german  = "Stadt;Straße;Größe\nMünchen;Königsplatz;12,5\nKöln;Am Höhenberg;8,0\nNürnberg;Fürther Straße;9,75\n"
	french  = "ville,région,élèves\nOrléans,Centre,120\nBéziers,Hérault,85\nAngoulême,Charente,42\n"
	polish  = "miasto,województwo\nŁódź,łódzkie\nKraków,małopolskie\nGdańsk,pomorskie\nRzeszów,podkarpackie\nCzęstochowa,śląskie\n"
	russian = "город,область,жители\nМосква,Московская область,12655050\nКазань,Республика Татарстан,1257391\n" +
		"Воронеж,Воронежская область,1050602\nОмск,Омская область,1139897\n"
	greek    = "πόλη,περιφέρεια,κάτοικοι\nΑθήνα,Αττική,664046\nΠάτρα,Δυτική Ελλάδα,167446\nΗράκλειο,Κρήτη,140730\n"
	japanese = "都市,地方,人口\n東京,関東地方の首都,13960000\n大阪,近畿地方のまち,2750000\n札幌,北海道のまち,1970000\nソウル,となりの国,9700000\n"
	chinese  = "城市,省份,人口\n北京,中国的首都,21890000\n广州,广东省的省会,18680000\n成都,四川省的省会,20940000\n"
	korean   = "도시,지방,인구\n서울,대한민국의 수도,9700000\n부산,경상남도의 항구,3400000\n대전,충청남도의 도시,1450000\n"
)

var (
	germanRows  = []string{`"München"|"Königsplatz"|"12,5"`, `"Köln"|"Am Höhenberg"|"8,0"`, `"Nürnberg"|"Fürther Straße"|"9,75"`}
	frenchRows  = []string{`"Orléans"|"Centre"|"120"`, `"Béziers"|"Hérault"|"85"`, `"Angoulême"|"Charente"|"42"`}
	polishRows  = []string{`"Łódź"|"łódzkie"`, `"Kraków"|"małopolskie"`, `"Gdańsk"|"pomorskie"`, `"Rzeszów"|"podkarpackie"`, `"Częstochowa"|"śląskie"`}
	russianRows = []string{`"Москва"|"Московская область"|"12655050"`, `"Казань"|"Республика Татарстан"|"1257391"`,
		`"Воронеж"|"Воронежская область"|"1050602"`, `"Омск"|"Омская область"|"1139897"`}
	greekRows    = []string{`"Αθήνα"|"Αττική"|"664046"`, `"Πάτρα"|"Δυτική Ελλάδα"|"167446"`, `"Ηράκλειο"|"Κρήτη"|"140730"`}
	japaneseRows = []string{`"東京"|"関東地方の首都"|"13960000"`, `"大阪"|"近畿地方のまち"|"2750000"`, `"札幌"|"北海道のまち"|"1970000"`, `"ソウル"|"となりの国"|"9700000"`}
	chineseRows  = []string{`"北京"|"中国的首都"|"21890000"`, `"广州"|"广东省的省会"|"18680000"`, `"成都"|"四川省的省会"|"20940000"`}
	koreanRows   = []string{`"서울"|"대한민국의 수도"|"9700000"`, `"부산"|"경상남도의 항구"|"3400000"`, `"대전"|"충청남도의 도시"|"1450000"`}
)

var goldenEncodings = []goldenCase{
	{name: "UTF-8 with a wrong byte among few characters", in: "id,name,city\n" + strings.Repeat("1,Ann Lee,Bonn\n", 50) + "2,José,Köln\n3,Max,Zürich\n4,Max,Z\xfcrich\n", set: rejecting(1), columns: "id|name|city",
		records: append(repeat(50, `"1"|"Ann Lee"|"Bonn"`), `"2"|"José"|"Köln"`, `"3"|"Max"|"Zürich"`), rejects: []string{"bad_encoding 54:3:791 \"4,Max,Z\uFFFDrich\""}},
	{name: "UTF-8", in: german, columns: "Stadt|Straße|Größe", records: germanRows, dialect: []string{"encoding UTF-8"}},
	{name: "UTF-8 with a BOM", in: bom + german, columns: "Stadt|Straße|Größe", records: germanRows, dialect: []string{"encoding UTF-8"}},
	{name: "UTF-8 with a BOM before a quote", in: bom + "\"id\",name\n1,Ann\n2,Bob\n", columns: "id|name", records: []string{`"1"|"Ann"`, `"2"|"Bob"`}},
	{name: "UTF-8 with two BOMs", in: bom + bom + "id,name\n1,Ann\n2,Bob\n", columns: "\ufeffid|name", records: []string{`"1"|"Ann"`, `"2"|"Bob"`}},
	{name: "a BOM in mid-file", in: second(bom + "2,Bob,1985-07-02"), columns: peopleColumns, records: around(`"\ufeff2"|"Bob"|"1985-07-02"`)},
	{name: "a BOM that was doubly encoded is text", in: second("2,ï»¿Bob,1985-07-02"), columns: peopleColumns, records: around(`"2"|"ï»¿Bob"|"1985-07-02"`)},
	{name: "UTF-8 that a server calls latin-1", in: german, set: served("iso-8859-1"), columns: "Stadt|Straße|Größe", records: germanRows, dialect: []string{"encoding UTF-8"}},
	{name: "UTF-16, little endian, BOM", in: utf16Text("\ufeff"+people, false), columns: peopleColumns, records: peopleRows, dialect: []string{"encoding UTF-16LE", "header 1"}},
	{name: "UTF-16, big endian, BOM", in: utf16Text("\ufeff"+people, true), columns: peopleColumns, records: peopleRows, dialect: []string{"encoding UTF-16BE"}},
	{name: "UTF-16, little endian, no BOM", in: utf16Text(people, false), columns: peopleColumns, records: peopleRows, dialect: []string{"encoding UTF-16LE"}},
	{name: "UTF-16, big endian, no BOM", in: utf16Text(people, true), columns: peopleColumns, records: peopleRows, dialect: []string{"encoding UTF-16BE"}},
	{name: "UTF-16 with tabs and CRLF, as spreadsheets write it", in: utf16Text("\ufeff"+strings.ReplaceAll(written("\t"), "\n", "\r\n"), false), columns: peopleColumns,
		records: peopleRows, dialect: []string{"encoding UTF-16LE", `delimiter "\t"`, "line end crlf"}},
	{name: "UTF-16 in Japanese", in: utf16Text("\ufeff"+japanese, false), columns: "都市|地方|人口", records: japaneseRows},
	{name: "UTF-16 in Japanese, no BOM", in: utf16Text(japanese, false), columns: "都市|地方|人口", records: japaneseRows, dialect: []string{"encoding UTF-16LE"}},
	{name: "UTF-16 with emoji", in: utf16Text("\ufeffid,name\n1,😀\n2,Bob\n", true), columns: "id|name", records: []string{`"1"|"😀"`, `"2"|"Bob"`}},
	{name: "UTF-16 with quotes over two lines", in: utf16Text("\ufeff"+second("2,\"Ray,\nBob\",1985-07-02"), false), columns: peopleColumns,
		records: around(`"2"|"Ray,\nBob"|"1985-07-02"`)},
	{name: "UTF-16, stated without byte order", in: utf16Text("\ufeff"+people, true), set: states(encoding("utf-16")), columns: peopleColumns, records: peopleRows,
		dialect: []string{"encoding UTF-16BE"}},
	{name: "UTF-16, stated, no BOM", in: utf16Text(people, true), set: states(encoding("utf-16be")), columns: peopleColumns, records: peopleRows},
	{name: "UTF-16, stated, a BOM all the same", in: utf16Text("\ufeff"+people, false), set: states(encoding("utf-16le")), columns: peopleColumns, records: peopleRows},
	{name: "UTF-16, a surplus value", in: utf16Text("\ufeff"+second("2,Bob,1985-07-02,left"), false), set: rejectExtra, columns: peopleColumns,
		records: []string{ann}, failure: "too_many_fields 3:4:96"},
	{name: "windows-1252 in German", in: in("windows-1252", german), columns: "Stadt|Straße|Größe", records: germanRows, dialect: []string{"encoding windows-1252", `delimiter ";"`}},
	{name: "windows-1252 in French", in: in("windows-1252", french), columns: "ville|région|élèves", records: frenchRows, dialect: []string{"encoding windows-1252"}},
	{name: "windows-1252 with its own characters", in: in("windows-1252", "id,name,price\n1,“Café” – ‘noir’,€ 3.50\n2,Crème brûlée…,€ 6.00\n"), columns: "id|name|price",
		records: []string{`"1"|"“Café” – ‘noir’"|"€ 3.50"`, `"2"|"Crème brûlée…"|"€ 6.00"`}, dialect: []string{"encoding windows-1252"}},
	{name: "latin-1, stated", in: in("windows-1252", french), set: states(encoding("iso-8859-1")), columns: "ville|région|élèves", records: frenchRows},
	{name: "latin-1 that a server names", in: in("windows-1252", french), set: served("ISO-8859-1"), columns: "ville|région|élèves", records: frenchRows},
	{name: "latin-1 far behind ASCII", in: "id,name\n" + strings.Repeat("1,Ann\n", 2000) + "2,Zo\xEB\n", columns: "id|name", records: append(repeat(2000, `"1"|"Ann"`), `"2"|"Zoë"`),
		dialect: []string{"encoding windows-1252"}},
	{name: "windows-1250 in Polish", in: in("windows-1250", polish), columns: "miasto|województwo", warnings: "uncertain 1 []", records: polishRows, dialect: []string{"encoding windows-1250"}},
	{name: "ISO-8859-2 in Polish, stated", in: in("iso-8859-2", polish), set: states(encoding("iso-8859-2")), columns: "miasto|województwo", warnings: "uncertain 1 []", records: polishRows, dialect: []string{"encoding ISO-8859-2"}},
	{name: "ISO-8859-2 that a server names", in: in("iso-8859-2", polish), set: served("iso-8859-2"), columns: "miasto|województwo", warnings: "uncertain 1 []", records: polishRows},
	{name: "windows-1251 in Russian", in: in("windows-1251", russian), columns: "город|область|жители", records: russianRows, dialect: []string{"encoding windows-1251"}},
	{name: "KOI8-R in Russian", in: in("koi8-r", russian), columns: "город|область|жители", records: russianRows, dialect: []string{"encoding KOI8-R"}},
	{name: "windows-1253 in Greek, stated", in: in("windows-1253", greek), set: states(encoding("windows-1253")), columns: "πόλη|περιφέρεια|κάτοικοι", records: greekRows},
	{name: "Shift-JIS", in: in("shift_jis", japanese), columns: "都市|地方|人口", records: japaneseRows, dialect: []string{"encoding Shift_JIS"}},
	{name: "Shift-JIS with a character that ends like a backslash", in: in("shift_jis", "名前,値\n\"ソ\",1\n\"表\",2\n\"能力\",3\n"), set: states(encoding("shift_jis")),
		columns: "名前|値", records: []string{`"ソ"|"1"`, `"表"|"2"`, `"能力"|"3"`}},
	{name: "Shift-JIS with a character that ends like a pipe", in: in("shift_jis", "名前|値\nポ|1\nゼ|2\n"), set: states(encoding("shift_jis"), delimiter("|")),
		columns: "名前|値", records: []string{`"ポ"|"1"`, `"ゼ"|"2"`}},
	{name: "EUC-JP", in: in("euc-jp", japanese), columns: "都市|地方|人口", records: japaneseRows, dialect: []string{"encoding EUC-JP"}},
	{name: "GBK", in: in("gbk", chinese), columns: "城市|省份|人口", records: chineseRows},
	{name: "GBK, stated", in: in("gbk", chinese), set: states(encoding("gb2312")), columns: "城市|省份|人口", records: chineseRows, dialect: []string{"encoding GBK"}},
	{name: "Big5, stated", in: in("big5", "城市,人口\n臺北,2500000\n高雄,2700000\n"), set: states(encoding("big5")), columns: "城市|人口", records: []string{`"臺北"|"2500000"`, `"高雄"|"2700000"`},
		dialect: []string{"encoding Big5"}},
	{name: "EUC-KR", in: in("euc-kr", korean), columns: "도시|지방|인구", records: koreanRows, dialect: []string{"encoding EUC-KR"}},
	{name: "a title in windows-1252", in: in("windows-1252", "Übersicht der Städte\n\n"+german), columns: "Stadt|Straße|Größe", records: germanRows, warnings: "title_lines 2 [1 2]"},
}

var goldenValues = []goldenCase{
	{name: "COPY's end mark", in: second(`\.`), columns: peopleColumns, records: around(`"\\."|NULL|NULL`), warnings: "short_row 1 [3]"},
	{name: "COPY's end mark in one column", in: "path\n./a/b\n\\.\n./c/d\n", set: states(header(true)), columns: "path", records: []string{`"./a/b"`, `"\\."`, `"./c/d"`}},
	{name: "COPY's end mark in a line of its own in quotes", in: second("2,\"B\n\\.\nb\",1985-07-02"), columns: peopleColumns, records: around(`"2"|"B\n\\.\nb"|"1985-07-02"`)},
	{name: "COPY's escapes", in: second(`2,\t\n\x41\134,1985-07-02`), columns: peopleColumns, records: around(`"2"|"\\t\\n\\x41\\134"|"1985-07-02"`)},
	{name: "emoji", in: second("2,👩‍👩‍👧 🇳🇴 👍🏽,1985-07-02"), columns: peopleColumns, records: around("\"2\"|" + shown("👩‍👩‍👧 🇳🇴 👍🏽") + `|"1985-07-02"`)},
	{name: "right to left", in: "מזהה,שם\n1,שלום עולם\n2,مرحبا بالعالم\n", columns: "מזהה|שם", records: []string{`"1"|"שלום עולם"`, `"2"|"مرحبا بالعالم"`}},
	{name: "marks of direction", in: second("2,\u200fבוב\u200e,1985-07-02"), columns: peopleColumns, records: around("\"2\"|" + shown("\u200fבוב\u200e") + `|"1985-07-02"`)},
	{name: "combining marks", in: second("2,Zoe\u0308,1985-07-02"), columns: peopleColumns, records: around("\"2\"|" + shown("Zoe\u0308") + `|"1985-07-02"`)},
	{name: "the replacement character", in: second("2,B\ufffdb,1985-07-02"), columns: peopleColumns, records: around(`"2"|"B�b"|"1985-07-02"`)},
	{name: "spaces of all kinds", in: second("2,\u00a0Bob\u3000\u2009,1985-07-02"), columns: peopleColumns, records: around(`"2"|"\u00a0Bob\u3000\u2009"|"1985-07-02"`)},
	{name: "control characters", in: second("2,\x01B\x1b[0m\x7f,1985-07-02"), columns: peopleColumns, records: around(`"2"|"\x01B\x1b[0m\x7f"|"1985-07-02"`)},
	{name: "an old end of file", in: people + "\x1a", columns: peopleColumns, records: append(peopleRows[:3:3], `"\x1a"|NULL|NULL`), warnings: "short_row 1 [5]"},
	{name: "numbers as they are", in: "a,b,c,d,e\n007,1e5,+1,0164A,1.50\n010,2E-3,-0,0999,.5\n", columns: "a|b|c|d|e",
		records: []string{`"007"|"1e5"|"+1"|"0164A"|"1.50"`, `"010"|"2E-3"|"-0"|"0999"|".5"`}},
	{name: "formulas are text", in: second("2,=1+1,@x"), columns: peopleColumns, records: around(`"2"|"=1+1"|"@x"`)},
	{name: "braces and NULL are text", in: second("{2},NULL,{}"), columns: peopleColumns, records: around(`"{2}"|"NULL"|"{}"`)},
	{name: "a value of 100,000 lines behind the first 64 KiB", in: "id,name,born\n" + strings.Repeat("1,Ann,1990-01-31\n", 5000) + "2,\"" + strings.Repeat("x\r\n", 1e5) + "\",1985-07-02\n3,Cy,2001-11-30\n",
		columns: peopleColumns, records: append(repeat(5000, ann), `"2"|`+shown(strings.Repeat("x\r\n", 1e5))+`|"1985-07-02"`, cy)},
	{name: "a web page in a value", in: second("2,<!DOCTYPE html><html>,1985-07-02"), columns: peopleColumns, records: around(`"2"|"<!DOCTYPE html><html>"|"1985-07-02"`)},
	{name: "a value of 100,000 lines", in: second("2,\"" + strings.Repeat("some text\r\n", 1e5) + "\",1985-07-02"), columns: peopleColumns,
		records: around(`"2"|` + shown(strings.Repeat("some text\r\n", 1e5)) + `|"1985-07-02"`)},
}

func shown(value string) string { return showValue([]byte(value)) }
