package csv

import (
	"strings"
	"testing"
)

// phrases are rows in many languages, each with the encodings that they may be in.
func phrases() []phrase {
	return []phrase{
		{"German", "Müller;Köln;Straße 5", "Jürgen Müller;Königstraße 12;70173 Stuttgart;Größe L;überwiesen am 3. März", "windows-1252 macintosh"},
		{"French", "Hélène;Besançon", "Société Générale;12 allée des Chênes;Orléans;créé à l'été dernier;déjà payé;reçu", "windows-1252 macintosh"},
		{"Spanish", "Muñoz;España", "José Núñez;Calle de la Constitución 7;León;teléfono móvil;año de fabricación", "windows-1252 macintosh"},
		{"Portuguese", "São Paulo;João", "João Conceição;Rua das Acácias 20;São Paulo;situação: não pago;endereço", "windows-1252 macintosh"},
		{"Italian", "è stata;città;Forlì", "Società a responsabilità limitata;città di Forlì;qualità;perché no;lunedì", "windows-1252"},
		{"Swedish", "Malmö;Åke", "Åsa Sjöström;Västra Hamngatan 4;Göteborg;på lager;återbetalning;två år", "windows-1252"},
		{"Danish", "København;Søren", "Søren Ørsted;Nørregade 8;København;på lager;første gang;små æbler", "windows-1252"},
		{"Finnish", "Jyväskylä", "Päivi Mäkelä;Hämeenkatu 3;Jyväskylä;maksettu käteisellä;tässä kuussa", "windows-1252"},
		{"Icelandic", "Þórður;Reykjavík", "Þórður Guðmundsson;Laugavegur 2;Reykjavík;það er ekki til;góð vísa", "windows-1252"},
		{"Dutch", "België;coördinatie", "Daniëlle Brouwer;Hoogstraat 1;Brussel, België;geïndexeerd;één stuk;coördinatie", "windows-1252"},
		{"Afrikaans", "lêer;wêreld", "Daniël Steÿn;Môrestraat 4;lêers om te bewerk;die hele wêreld;geïmplementeer", "windows-1252"},
		{"Catalan", "Lluçà;València", "Núria Puigdollers;carrer de la Unió 3;València;col·lecció;això és així;següent", "windows-1252"},
		{"English", "it’s;don’t", "The customer’s order – “urgent” – isn’t paid;café;5 € off", "windows-1252"},
		{"names from the west", "François;Jürgen;José", "François Lefèvre;Jürgen Groß;José Peña;Søren Åberg;Zoë;Conceição", "windows-1252 macintosh"},
		{"Polish", "Łódź;Śląsk;żółty", "Grzegorz Brzęczyszczykiewicz;Łódź;ulica Świętokrzyska;zapłacono częściowo;wartość brutto", "windows-1250 ISO-8859-2"},
		{"Czech", "Jiří;Plzeň", "Jiří Dvořák;náměstí Míru 5;Plzeň;zaplaceno předem;dodání příští týden;žluťoučký kůň", "windows-1250 ISO-8859-2"},
		{"Slovak", "Košice;ľudia;mäso", "Ľubomír Šťastný;Hlavná 12;Košice;zaplatené v hotovosti;dodanie budúci týždeň", "windows-1250 ISO-8859-2"},
		{"Hungarian", "Győr;fűtő;őrség", "Erdős Tünde;Petőfi utca 3;Győr;fizetve készpénzben;következő hét;fűtőtest", "windows-1250 ISO-8859-2"},
		{"Croatian", "Šibenik;Čakovec;žuč", "Željko Đurić;Trg bana Jelačića 1;Šibenik;plaćeno gotovinom;isporuka sljedeći tjedan;čaša", "windows-1250 ISO-8859-2"},
		{"Romanian", "Braşov;Piaţa;strada", "Ştefan Ionescu;Piaţa Unirii 2;Braşov;plătit în numerar;săptămâna viitoare;bună ziua", "windows-1250"},
		{"Turkish", "Beyoğlu;Işık;şehir", "Ayşe Yılmaz;Bağdat Caddesi 15;İstanbul;ödendi;gelecek hafta teslim;kırmızı güneş", "windows-1254"},
		{"Lithuanian", "Šiauliai;gatvė;mažų", "Rūta Žemaitienė;Šiaulių gatvė 4;Panevėžys;apmokėta grynaisiais;kitą savaitę;ąžuolų", "windows-1257"},
		{"Latvian", "Rīga;Jānis;iela", "Jānis Bērziņš;Brīvības iela 10;Rīga;samaksāts skaidrā naudā;nākamnedēļ;ķirši", "windows-1257"},
		{"Russian", "имя;Москва", "Иванов Иван Иванович;улица Ленина, дом 5;Москва;оплачено наличными;следующая неделя", "windows-1251 KOI8-R IBM866 ISO-8859-5"},
		{"Russian capitals", "ИВАНОВ;МОСКВА", "ИВАНОВ ИВАН ИВАНОВИЧ;УЛИЦА ЛЕНИНА, ДОМ 5;МОСКВА;ОПЛАЧЕНО НАЛИЧНЫМИ", "windows-1251 KOI8-R IBM866"},
		{"Ukrainian", "Київ;Україна", "Шевченко Тарас Григорович;вулиця Хрещатик, 1;Київ;сплачено готівкою;наступний тиждень", "windows-1251 KOI8-U"},
		{"Bulgarian", "София;България", "Георги Димитров;бул. Витоша 1;София;платено в брой;следващата седмица", "windows-1251"},
		{"Greek", "όνομα;Αθήνα", "Γιώργος Παπαδόπουλος;Οδός Ερμού 5;Αθήνα;πληρώθηκε με μετρητά;επόμενη εβδομάδα", "windows-1253"},
		{"Hebrew", "שם;ירושלים", "משה כהן;רחוב הרצל 5;תל אביב;שולם במזומן;משלוח בשבוע הבא", "windows-1255"},
		{"Arabic", "الاسم;القاهرة", "محمد عبد الله;شارع التحرير 5;القاهرة;مدفوع نقدا;التسليم الأسبوع القادم", "windows-1256"},
		{"Thai", "ชื่อ;กรุงเทพ", "สมชาย ใจดี;ถนนสุขุมวิท;กรุงเทพมหานคร;ชำระเงินแล้ว;ส่งสัปดาห์หน้า", "windows-874"},
		{"Japanese", "氏名;東京都", "山田太郎;東京都千代田区霞が関1-1;カメラとレンズ;お支払い済み;来週の月曜日に届きます", "Shift_JIS EUC-JP"},
		{"Japanese names", "佐藤;大阪府", "佐藤一郎;高橋花子;大阪府大阪市北区;株式会社日立;渡辺", "Shift_JIS EUC-JP"},
		{"Japanese narrow", "ﾔﾏﾀﾞ ﾀﾛｳ;ｶ)ﾆﾎﾝ", "ﾔﾏﾀﾞ ﾀﾛｳ;ｻﾄｳ ﾊﾅｺ;ﾄｳｷｮｳﾄ ﾁﾖﾀﾞｸ;ｶ)ﾆﾎﾝｼｮｳｼﾞ;ﾌﾘｺﾐ", "Shift_JIS"},
		{"Chinese", "姓名;北京市", "王小明;北京市朝阳区建国路88号;已付款;下周一送货;数量和价格;备注：请打电话", "GBK"},
		{"Chinese traditional", "姓名;台北市", "陳小明;台北市信義區市府路1號;已付款;下週一送貨;數量和價格;備註：請打電話", "Big5"},
		{"Korean", "이름;서울특별시", "김철수;서울특별시 종로구 세종대로 1;결제 완료;다음 주 월요일 배송;수량과 가격", "EUC-KR"},
	}
}

type phrase struct{ language, short, long, charsets string }

func TestGuessCharset(t *testing.T) {
	t.Parallel()
	for _, p := range phrases() {
		for label := range strings.FieldsSeq(p.charsets) {
			for length, text := range map[string]string{
				"short": "id;name;city\n1;" + p.short + "\n2;abc;def\n",
				"long":  strings.Repeat("4711;"+p.long+";1.234,50\r\n", 50),
			} {
				t.Run(p.language+" in "+label+" "+length, func(t *testing.T) {
					t.Parallel()
					source := encoded(t, label, text)
					cs, mark, sure, err := detectCharset([]byte(source), true, "", "")
					if err != nil || mark != 0 {
						t.Fatal(mark, err)
					}
					if got := decoded(t, cs, source); got != text {
						t.Errorf("%s, sure by %v, reads it as %.100q", cs, sure, got)
					}
					if length == "long" && sure < 0.8 || sure > 0.95 {
						t.Errorf("%s is sure by %v", cs, sure)
					}
					for cut := range 3 { // a character may be cut
						again, _, _, err := detectCharset([]byte(source[:len(source)-cut]), false, "", "")
						if length == "long" && (err != nil || again.String() != cs.String()) {
							t.Errorf("cut by %d it is %s, %v", cut, again, err)
						}
					}
				})
			}
		}
	}
}

func TestGuessOfOneName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ charset, name string }{
		{"windows-1252", "José"}, {"windows-1252", "Müller"}, {"windows-1252", "Zoë"}, {"windows-1252", "Ångström"}, {"windows-1252", "5 €"},
		{"windows-1252", "£5"}, {"windows-1252", "20 °C"}, {"windows-1252", "m²"}, {"windows-1252", "it’s"}, {"windows-1252", "«voilà»"},
		{"windows-1252", "São"}, {"windows-1252", "Besançon"}, {"windows-1252", "MÜNCHEN"}, {"windows-1252", "Español"}, {"windows-1252", "naïve"},
		{"windows-1252", "Ærø"}, {"windows-1252", "1.º"}, {"windows-1252", "a\u00a0b"}, {"windows-1252", "™"}, {"windows-1252", "½ l"},
		{"windows-1250", "Łódź"}, {"windows-1250", "Dvořák"}, {"windows-1251", "Иван"}, {"windows-1251", "Москва"},
		{"Shift_JIS", "東京"}, {"Shift_JIS", "カメラ"}, {"EUC-JP", "ひらがな"}, {"GBK", "北京"}, {"GBK", "中国"}, {"Big5", "台北"},
		{"EUC-KR", "서울"}, {"EUC-KR", "대한민국"}, {"windows-1253", "Αθήνα"}, {"windows-1255", "שלום"}, {"windows-874", "ไทย"},
	} {
		text := "id,name\n1," + c.name + "\n"
		source := encoded(t, c.charset, text)
		cs, _, sure, err := detectCharset([]byte(source), true, "", "")
		if err != nil || decoded(t, cs, source) != text {
			t.Errorf("%s in %s is %s by %v, %v: %q", c.name, c.charset, cs, sure, err, decoded(t, cs, source))
		}
	}
}

func TestGuessOfGB18030(t *testing.T) {
	t.Parallel()
	head := encoded(t, "gbk", "姓名,价格\n王小明,5 ")
	for source, want := range map[string]string{
		head + "\x80\n":             "GBK", // the euro as Windows writes it
		head + "\xA2\xE3\n":         "gb18030",
		head + "\x90\x30\x81\x30\n": "GBK", // no larger for four bytes
	} {
		cs, _, sure, err := detectCharset([]byte(source), true, "", "")
		if err != nil || cs.String() != want || cs.undecodable([]byte(source), true) > 0 || sure < 0.8 {
			t.Errorf("%q is %s by %v, %v, want %s", source, cs, sure, err, want)
		}
	}
}

func BenchmarkGuess(b *testing.B) {
	cs, _ := findCharset("windows-1251")
	sample := make([]byte, 0, 64<<10)
	for i := range cap(sample) {
		sample = append(sample, byte(0xC0+i*7%64))
	}
	b.SetBytes(int64(len(sample)))
	for b.Loop() {
		if got, _ := guessCharset(sample, false); got.name == cs.name {
			continue
		}
	}
}
