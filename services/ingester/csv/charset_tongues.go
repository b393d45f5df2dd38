package csv

// singleByteChoice is an encoding of one byte a character that is guessed, and the languages written in it.
type singleByteChoice struct {
	name    string
	prior   float64 // bits that it costs to think of the encoding
	tongues []tongue
}

// tongue is a language by its small letters beyond ASCII, the most frequent first.
type tongue struct {
	letters string
	latin   bool // its other letters are ASCII's
}

// multiByteChoice is an encoding of several bytes a character that is guessed.
type multiByteChoice struct {
	name     string
	prior    float64
	frequent string  // characters, the most frequent first
	level1   [2]byte // the first bytes of the characters that are learned at school
	high     bool    // their second bytes are beyond ASCII
	kana     bool
	hangul   bool
}

// singleByteChoices lists the likeliest encoding first.
func singleByteChoices() []singleByteChoice {
	west, central, cyrillic := westernTongues(), centralTongues(), cyrillicTongues()
	russian, greek := cyrillic[:1], []tongue{{letters: "αοιετσνηυρπκμλςίόάγέδήθχωύώφβξζψϊϋΐΰ"}}
	return []singleByteChoice{
		{"windows-1252", 0, west},
		{"windows-1250", 2, central},
		{"windows-1251", 1, cyrillic},
		{"windows-1254", 3, []tongue{{"ışüğöçİâî", true}}},
		{"windows-1257", 3, []tongue{{"ėšžųūįąčę", true}, {"āīēšūņļžčķģ", true}, {"äõüöšž", true}}},
		{"windows-1253", 2, greek},
		{"windows-1255", 2, []tongue{{letters: "יוהלארתבמשנםעדחקפןטכגסזצךףץ"}}},
		{"windows-1256", 2, []tongue{
			{letters: "اليمونرتبعدسفهكقأحجشةصىطخإضذئءزغثظؤآ"},
			{letters: "اینرمدوهتسبلشکخزفعگقپحجآصغچطضئظذثژ"},
		}},
		{"windows-874", 3, []tongue{{letters: "านรอกเง่มยลวดทส้ตัะปีบคแหใไจพขิุูืช์โถผณซภธศ็ษำฐึฟญฝฉ๊ฆฮฎฏฬฤ๋ๆฯ"}}},
		{"KOI8-R", 4, russian},
		{"KOI8-U", 6, cyrillic[1:2]},
		{"ISO-8859-2", 4, central},
		{"ISO-8859-7", 4, greek},
		{"ISO-8859-15", 4, west},
		{"macintosh", 5, west},
		{"IBM866", 6, russian},
		{"ISO-8859-5", 8, cyrillic},
	}
}

func westernTongues() []tongue {
	return []tongue{
		{"éüäöáóíñçèãàêôåøâúëîïæìòßùõûœ", true}, // names from several countries
		{"éèàêçâîôùûëïœüÿæ", true},              // French
		{"üäößé", true},          // German
		{"óíáéñúüçªº", true},     // Spanish
		{"ãçéáíóêõâúàôªº", true}, // Portuguese
		{"èàùòéì", true},         // Italian
		{"äåöéü", true},          // Swedish and Finnish
		{"øåæéöäüò", true},       // Danish and Norwegian
		{"íáðóúéöþæý", true},     // Icelandic
		{"àéòóèíçúïü·", true},    // Catalan
		{"ëéïöüè", true},         // Dutch
		{"êëéôïáûö", true},       // Afrikaans
	}
}

func centralTongues() []tongue {
	return []tongue{
		{"łąęóżśćńź", true},          // Polish
		{"íáěéýřčžšůúťďňóöü", true},  // Czech
		{"áíčéžýšúľťňôóďäŕĺö", true}, // Slovak
		{"áéőóöüíűú", true},          // Hungarian
		{"čšžćđ", true},              // Croatian and Slovene
		{"ăîşţâșț", true},            // Romanian
	}
}

func cyrillicTongues() []tongue {
	return []tongue{
		{letters: "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё"},   // Russian
		{letters: "оаниівертскздулмпяьбгйчхїєжцюшщф’ґ"},  // Ukrainian
		{letters: "аеиотнрсвлкдпмзгуъябчщйцжхшюфь"},      // Bulgarian
		{letters: "аоиенсрјтукдвмлпгзбшчцжњхћљђџфѓќѕ"},   // Serbian and Macedonian
		{letters: "анірыеоклсвтудпямгзьйбчўцхжшюэёф’іщ"}, // Belarusian
	}
}

func multiByteChoices() []multiByteChoice {
	return []multiByteChoice{
		{name: "Shift_JIS", prior: 2, frequent: kanji, level1: [2]byte{0x88, 0x97}, kana: true},
		{name: "EUC-JP", prior: 4, frequent: kanji, level1: [2]byte{0xB0, 0xCF}, high: true, kana: true},
		{name: "GBK", prior: 2, frequent: simplified, level1: [2]byte{0xB0, 0xD7}, high: true},
		{name: "gb18030", prior: 2.5, frequent: simplified, level1: [2]byte{0xB0, 0xD7}, high: true}, // larger, and else alike
		{name: "Big5", prior: 3, frequent: traditional, level1: [2]byte{0xA4, 0xC6}},
		{name: "EUC-KR", prior: 2, frequent: hangul, level1: [2]byte{0xB0, 0xC8}, high: true, hangul: true},
	}
}

const (
	kanji = "日一国人年大十二本中長出三時行見月分後前生五間上東四今金九入学高円子外八六下来気小七山話女北午百書先名川千水半男西" +
		"電校語土木聞食車何南万毎白天母火右読友左休父雨会同事自社発者地業方新場員立開手力問代明動京目通言理体田主題意不作用度強公" +
		"持野以思家世多正安院心界教文元重近考画海売知道集別物使品計死特私始朝運終台広住無真有口少町料工建空急止送切転研足究楽起着" +
		"店病質待試族銀早映親験英医仕去味写字答夜音注帰古歌買悪図週室歩風紙黒花春赤青館屋色走秋夏習駅洋旅服借曜飲肉県市区村郡府都" +
		"番号様氏所株式価格数量佐藤鈴橋渡辺伊林加斎吉松井清崎森池阿石岡谷遠坂福太島原和浦岩竹内丸河武戸成沢宮神奈埼玉葉阪愛兵庫"
	simplified = "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成" +
		"方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使" +
		"情明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老" +
		"给世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目" +
		"太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社便空决治展马科司五基眼书非则听白却界达光放强即像难且权思王" +
		"象完设式色路记南品住告类求据程北边死张该交规万取拉格望觉术领共确传师观清今切院让识候带导争运省县街号楼室姓址价订单李刘陈" +
		"杨赵黄周吴徐孙胡朱林郭罗梁宋郑谢韩唐冯董曹袁邓沈曾彭吕苏卢蒋蔡丁魏叶余潘杜夏钟汪田姜范石姚京沪津广深杭州武汉都江"
	traditional = "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作里用道行所然家種事" +
		"成方多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理心她本前開但因只從想實日軍者意無力它與長把機十民第公此已" +
		"工使情明性知全三又關點正業外將兩高間由問很最重並物手應戰向頭文體政美相見被利什二等產或新己制身果加西斯月話合回特代內信" +
		"表化老給世位次度門任常先海通教兒原東聲提立及比員解水名真論處走義各入幾口認條平系氣題活爾更別打女變四神總何電數安少報才" +
		"結反受目太量再感建務做接必場件計管期市直德資命山金指克許統區保至隊形社便空決治展馬科司五基眼書非則聽白卻界達光放強即像" +
		"難且權思王象完設式色路記南品住告類求據程北邊死張該交規萬取拉格望覺術領共確傳師觀清今切院讓識候帶導爭運縣街號樓室姓址價" +
		"訂單李陳林黃吳劉蔡楊鄭謝郭洪邱曾廖賴徐周葉蘇莊呂江蕭羅潘簡朱鍾彭游胡施沈余趙盧梁臺台灣鄉鎮巷弄"
	hangul = "이다의는에을가지고하기사은를도한대로시인서자나리어정아그일부수들해주제전원만보장과라선상성공있신구국관연생조면계여유무동" +
		"학스경비소문실용안미개위영출교발방중회재당입금최호세분현모양음야차박통치우민요김명산오본물식업체강화외내진단운행결때없거등" +
		"년월까니것습된했었던았할와적드르트크데임윤황송류홍손배백허남심노곽엄채천함변염추울광읍군길번역력직설약접점품목매판처가격점" +
		"말법불여론마바각간감건검게견병복북반별종준후회확환활희"
)
