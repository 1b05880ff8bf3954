//! What an attacker would type.

/// Stands for the mark of a text, by which it is found wherever it comes out.
const MARK: &str = "MARK";

/// A text with a mark of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) mark: String,
    pub(super) bytes: Vec<u8>,
}

/// How many characters the long one has.
const LONG: usize = 20_000;

/// Each in a place of its own: an element, an attribute in either quote or in none, an address, the end of an element whose content is
/// no markup, a comment, a template, a formula, letters that are none.
const VECTORS: &[&[u8]] = &[
    b"<MARK MARK=MARK>MARK</MARK>",
    b"<script>MARK()</script>",
    b"<img src=x onerror=MARK()>",
    b"<svg/onload=MARK()>",
    b"\" MARK=MARK onfocus=MARK() autofocus x=\"",
    b"' MARK=MARK onfocus=MARK() autofocus x='",
    b"\"><MARK>",
    b"'><MARK>",
    b"x onclick=MARK() MARK=`MARK`",
    b"javascript:MARK()//",
    b"JaVa\tScRiPt:MARK()",
    b"data:text/html,<script>MARK()</script>",
    b"//MARK/",
    b"</script><script>MARK()</script>",
    b"</textarea><MARK>",
    b"</title><MARK>",
    b"</option></select><MARK>",
    b"</style><style>MARK{}</style>",
    b"<iframe srcdoc='<MARK>'></iframe><base href=//MARK><form action=//MARK><meta http-equiv=refresh content=MARK>",
    b"<math><mtext></form><form><mglyph><style></math><MARK>",
    b"<noscript><p title=\"</noscript><MARK>\">",
    b"<![CDATA[ <MARK> ]]><?MARK ?>",
    b"&lt;MARK&gt;&#60;MARK&#x3e;&quot;MARK",
    b"%3CMARK%3E%22MARK+%2BMARK",
    b"{{MARK}}${MARK}#{MARK}<%= MARK %>",
    b"=MARK+cmd|' /C calc'!A1",
    b"\"},{\"MARK\":\"\\u003cMARK\\u003e\\",
    b"\xe2\x80\xae<MARK>\xe2\x81\xa6MARK\xe2\x80\xa8",
    b"<\0MARK\x01\x08\x1b[31m>\x7f\xc2\x85",
    b"\xc0\xbcMARK\xc0\xbe\xed\xa0\x80<MARK>\xff",
    b"--><MARK><!--",
    b"<!-- MARK",
];

impl Text {
    fn of(vector: &[u8], n: usize) -> Text {
        let mark = format!("zq{n:02}q");
        let mut bytes = Vec::new();
        let mut rest = vector;
        while let Some((first, after)) = rest.split_first() {
            match rest.strip_prefix(MARK.as_bytes()) {
                Some(after) => {
                    bytes.extend(mark.as_bytes());
                    rest = after;
                }
                None => {
                    bytes.push(*first);
                    rest = after;
                }
            }
        }
        Text { mark, bytes }
    }

    /// A harmless one.
    pub(super) fn plain(n: usize) -> Text {
        let bytes = format!("Plain text {n}").into_bytes();
        Text {
            mark: String::new(),
            bytes,
        }
    }

    /// As a text; what is no letter is shown as such.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// Every text, the long one last.
pub(super) fn corpus() -> Vec<Text> {
    let short = VECTORS.iter().enumerate();
    let mut texts: Vec<Text> = short.map(|(n, vector)| Text::of(vector, n)).collect();
    let long = b"<MARK>\"'".repeat(LONG / 8);
    texts.push(Text::of(&long, texts.len()));
    texts
}

/// All the short ones in one text.
pub(super) fn chorus() -> Text {
    let texts = corpus();
    let short = texts.iter().take(VECTORS.len());
    let lines: Vec<&[u8]> = short.map(|text| text.bytes.as_slice()).collect();
    Text {
        mark: "zq".to_owned(),
        bytes: lines.join(&b" "[..]),
    }
}

/// Whether a text holds the mark of one of ours.
pub(super) fn is_marked(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let mut rest = text.as_bytes();
    while let Some(at) = rest.windows(2).position(|pair| pair == b"zq") {
        let after = &rest[at + 2..];
        if let [tens, ones, b'q', ..] = after
            && tens.is_ascii_digit()
            && ones.is_ascii_digit()
        {
            return true;
        }
        rest = after;
    }
    false
}

#[test]
fn every_text_has_its_mark() {
    for text in corpus() {
        assert!(is_marked(&text.text()) && text.text().contains(&text.mark));
    }
    assert!(is_marked(&chorus().text()) && is_marked("<ZQ07Q>"));
    assert!(!is_marked("zq7q zqq zq077q") && !is_marked(&Text::plain(1).text()));
}
