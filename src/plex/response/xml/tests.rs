use std::fmt::Write as _;
use std::time::Instant;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::plex::response::charset::read;

/// What becomes of the bytes of a document.
fn to_json(bytes: &[u8], declared: Option<&str>) -> Result<Vec<u8>, String> {
    let stop = Stop::default();
    let label = charset(bytes, declared).map(str::to_owned);
    let text = read(bytes.to_vec(), label.as_deref(), &stop).unwrap();
    super::to_json(&text.text, &stop).unwrap()
}

fn converted(xml: &str) -> Result<String, String> {
    to_json(xml.as_bytes(), None).map(|text| String::from_utf8(text).unwrap())
}

#[track_caller]
fn check(xml: &str, json: &str) {
    assert_eq!(converted(xml).as_deref(), Ok(json), "{xml}");
}

#[test]
fn has_the_shape_of_plex_json() {
    check(r#"<MediaContainer size="0"/>"#, r#"{"MediaContainer":{"size":"0"}}"#);
    check("<MediaContainer size='0'>\n</MediaContainer>\n", r#"{"MediaContainer":{"size":"0"}}"#);
    check("<a/>", r#"{"a":{}}"#);
    check(
        r#"<?xml version="1.0" encoding="UTF-8"?>
        <MediaContainer size="2" totalSize="3">
          <Video key="1"><Media id="7"><Part file="/a b.mkv"/></Media><Genre tag="x"/><Genre tag="y"/></Video>
          <Video key="2"></Video>
        </MediaContainer>"#,
        concat!(
            r#"{"MediaContainer":{"size":"2","totalSize":"3","Video":[{"key":"1","Media":[{"id":"7","#,
            r#""Part":[{"file":"/a b.mkv"}]}],"Genre":[{"tag":"x"},{"tag":"y"}]},{"key":"2"}]}}"#
        ),
    );
}

#[test]
fn brings_tags_together_in_order_of_first_appearance() {
    check(
        r#"<r n="1"><b i="1"/><a i="2"/><b i="3"><x/><y/><x/></b><c/><a i="5"/><a i="6"/><b i="7"/>t</r>"#,
        concat!(
            r#"{"r":{"n":"1","b":[{"i":"1"},{"i":"3","x":[{},{}],"y":[{}]},{"i":"7"}],"#,
            r#""a":[{"i":"2"},{"i":"5"},{"i":"6"}],"c":[{}],"_text":"t"}}"#
        ),
    );
    check("<r><a/><b/><a/></r>", r#"{"r":{"a":[{},{}],"b":[{}]}}"#);
    check("<r><a/><ab/><a/><ab/></r>", r#"{"r":{"a":[{},{}],"ab":[{},{}]}}"#);
}

#[test]
fn loses_nothing_where_names_meet() {
    check(
        r#"<user username="x" id="1"><username>y</username><id/><username>z</username></user>"#,
        r#"{"user":{"username":"x","id":"1","username[]":[{"_text":"y"},{"_text":"z"}],"id[]":[{}]}}"#,
    );
    check(r#"<a _text="x">y<_text/></a>"#, r##"{"a":{"_text":"x","_text[]":[{}],"#text":"y"}}"##);
    check("<a>y<_text/></a>", r#"{"a":{"_text[]":[{}],"_text":"y"}}"#);
    check(r#"<a Guid="1" guid="2"><GUID/></a>"#, r#"{"a":{"Guid":"1","guid":"2","GUID":[{}]}}"#);
}

#[test]
fn keeps_text_and_drops_indentation() {
    check("<a>x</a>", r#"{"a":{"_text":"x"}}"#);
    check("<a> x y </a>", r#"{"a":{"_text":" x y "}}"#);
    check(
        "<a>\n  one\n  <b> two </b>\n  <c/> three\n</a>",
        r#"{"a":{"b":[{"_text":" two "}],"c":[{}],"_text":"\n  one\n   three\n"}}"#,
    );
    check("<a>x<!-- c -->y<?p i?>z</a>", r#"{"a":{"_text":"xyz"}}"#);
    check("<a><![CDATA[<&\"\\>]]>&amp;<![CDATA[ ]]></a>", r#"{"a":{"_text":"<&\"\\>& "}}"#);
    check("<a>1\r\n2\r3\n4\t5</a>", r#"{"a":{"_text":"1\n2\n3\n4\t5"}}"#);
    check("<a b='1\r\n2\r3\n4\t5'/>", r#"{"a":{"b":"1 2 3 4 5"}}"#);
    check("<a b='&#13;&#10;&#9;'>&#13;x</a>", r#"{"a":{"b":"\r\n\t","_text":"\rx"}}"#);
}

#[test]
fn resolves_references() {
    check(
        r#"<a b="&lt;&gt;&amp;&apos;&quot;&#65;&#x42;&#X43;&#127916;">&lt;&gt;&amp;&apos;&quot;&#65;&#x42;</a>"#,
        "{\"a\":{\"b\":\"<>&'\\\"AB&#X43;🎬\",\"_text\":\"<>&'\\\"AB\"}}",
    );
    check(
        r#"<a b="&nbsp; & &; &&amp;x &#; &#x; &#-5;">&nbsp; & &; && &#; x</a>"#,
        r#"{"a":{"b":"&nbsp; & &; &&x &#; &#x; &#-5;","_text":"&nbsp; & &; && &#; x"}}"#,
    );
    check("<a b='&amp;lt;'>&amp;lt;</a>", r#"{"a":{"b":"&lt;","_text":"&lt;"}}"#);
}

#[test]
fn drops_what_xml_forbids() {
    check(
        "<a b='1\x042\x003'>4\x1f5\u{FFFE}\u{FFFF}\u{FEFF}6</a>",
        "{\"a\":{\"b\":\"123\",\"_text\":\"45\u{FEFF}6\"}}",
    );
    check(
        "<a b='1&#4;2&#0;3&#xFFFF;4&#xD800;5&#1114112;6'>&#4;7&#99999999999999;8</a>",
        r#"{"a":{"b":"123456","_text":"78"}}"#,
    );
    check("<a>\x04</a>\x04", r#"{"a":{}}"#);
}

#[test]
fn defines_and_fetches_no_entity() {
    let bomb = r#"<!DOCTYPE a [<!ENTITY x "y"><!ENTITY f SYSTEM "file:///etc/hostname"><!ENTITY x2 "&x;&x;">]>
        <a b="&x2;">&x;&f;</a>"#;
    check(bomb, r#"{"a":{"b":"&x2;","_text":"&x;&f;"}}"#);
}

#[test]
fn keeps_names_as_written() {
    check(
        r#"<x:a xmlns:x="u" x:b-c.1="2"><x:é/></x:a>"#,
        r#"{"x:a":{"xmlns:x":"u","x:b-c.1":"2","x:é":[{}]}}"#,
    );
}

#[test]
fn refuses_what_is_no_xml() {
    for xml in [
        "",
        " ",
        "x",
        "<a>",
        "<a",
        "<a b",
        "<a b=",
        "<a b='",
        "<a></b>",
        "</a>",
        "<a/></a>",
        "<a/><b/>",
        "<a/>x",
        "x<a/>",
        "<a/>&amp;",
        "<a><![CDATA[x</a>",
        "<a><!-- </a>",
        "<a b=1/>",
        "<a b/>",
        "<a b='1' b='2'/>",
        "<>",
        "< a/>",
        "<1/>",
        "<a 1='2'/>",
        "<a b[]='2'/>",
        "<a\"/>",
        "<a \"b\"='1'/>",
        "<?xml?>",
        "<!DOCTYPE a>",
        r#"<Response code="200" status="OK">"#,
        "{\"a\":1}",
        "<a>\u{0}<b></a>",
    ] {
        let reason = converted(xml).unwrap_err();
        assert!(reason.starts_with("invalid XML: "), "{xml}: {reason}");
    }
    assert_eq!(
        converted("<secret></token>").unwrap_err(),
        "invalid XML: an end tag has no start tag at byte 16"
    );
}

#[test]
fn nests_as_deep_as_it_says() {
    let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    let deepest = converted(&nested(MAX_DEPTH)).unwrap();
    assert!(crate::plex::response::json::check(&deepest).is_ok());
    assert!(converted(&nested(MAX_DEPTH + 1)).is_err());
    assert!(converted(&"<a>".repeat(1_000_000)).is_err());
}

#[test]
fn reads_every_charset() {
    let expected = r#"{"a":{"b":"é"}}"#.as_bytes();
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let utf16be = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>();
    let cases: &[(Vec<u8>, Option<&str>)] = &[
        ("<a b='é'/>".into(), None),
        ("\u{FEFF}<a b='é'/>".into(), Some("iso-8859-1")),
        (b"<?xml version='1.0' encoding='ISO-8859-1'?><a b='\xe9'/>".to_vec(), None),
        (b"<?xml version='1.0' encoding = \"iso-8859-1\" ?><a b='\xe9'/>".to_vec(), Some("utf-8")),
        (b"<a b='\xe9'/>".to_vec(), Some("ISO-8859-1")),
        ("<?xml version='1.0' encoding='utf-16'?><a b='é'/>".into(), None),
        (utf16("\u{FEFF}<?xml version='1.0' encoding='utf-16'?><a b='é'/>"), None),
        (utf16("<a b='é'/>"), None),
        (utf16be("\u{FEFF}<a b='é'/>"), Some("utf-8")),
        (utf16be("<a b='é'/>"), None),
    ];
    for (bytes, declared) in cases {
        assert_eq!(to_json(bytes, *declared).as_deref(), Ok(expected), "{declared:?} {bytes:?}");
    }
    let replaced = "{\"a\":{\"b\":\"\u{FFFD}\"}}".as_bytes();
    assert_eq!(to_json(b"<a b='\xe9'/>", None).as_deref(), Ok(replaced));
    assert_eq!(to_json("<a b='é'/>".as_bytes(), Some("klingon")).as_deref(), Ok(expected));
}

#[test]
fn converts_what_plex_writes() {
    let files = plexsync_harness::fixtures::plex("xml");
    let read = |name: &str| -> Value {
        let (_, xml) = files.iter().find(|(path, _)| path.ends_with(name)).unwrap();
        serde_json::from_slice(&to_json(xml, None).unwrap()).unwrap()
    };
    let player = read("clients.xml");
    assert_eq!(player["MediaContainer"]["Player"][0]["title"], "Phone in the hall");
    let resources = read("resources.xml");
    assert_eq!(resources["MediaContainer"]["size"], "1");
    assert_eq!(resources["MediaContainer"]["Device"][0]["Connection"][2]["port"], "443");
}

/// An element to write down as XML, and to turn into JSON the slow and simple way.
#[derive(Debug, Clone)]
struct Element {
    tag: String,
    attributes: Vec<(String, String)>,
    children: Vec<Element>,
    text: String,
}

impl Element {
    fn write(&self, out: &mut String) {
        write!(out, "<{}", self.tag).unwrap();
        for (name, value) in &self.attributes {
            write!(out, " {name}=\"{}\"", quick_xml::escape::escape(value)).unwrap();
        }
        out.push('>');
        out.push_str(&quick_xml::escape::escape(&self.text));
        for child in &self.children {
            child.write(out);
            out.push_str("\n  <!-- c -->");
        }
        write!(out, "</{} >", self.tag).unwrap();
    }

    fn json(&self) -> Value {
        let mut members: serde_json::Map<String, Value> =
            self.attributes.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        for child in &self.children {
            let taken = self.attributes.iter().any(|(name, _)| *name == child.tag);
            let name = if taken { format!("{}[]", child.tag) } else { child.tag.clone() };
            members.entry(name).or_insert(json!([])).as_array_mut().unwrap().push(child.json());
        }
        if !self.text.trim_ascii().is_empty() {
            members.insert("_text".to_owned(), json!(self.text));
        }
        Value::Object(members)
    }
}

fn elements() -> impl Strategy<Value = Element> {
    // what the reader leaves alone: no control characters, no noncharacters
    let text = "[ -~éü映🎬]{0,12}";
    let own = ("[a-d]", prop::collection::btree_map("[a-f]{1,2}", text, 0..4), text);
    let element = |(tag, attributes, text): (String, std::collections::BTreeMap<_, _>, String),
                   children| {
        Element { tag, attributes: attributes.into_iter().collect(), children, text }
    };
    let leaf = own.clone().prop_map(move |own| element(own, Vec::new()));
    leaf.prop_recursive(5, 64, 8, move |inner| {
        (own.clone(), prop::collection::vec(inner, 0..8))
            .prop_map(move |(own, children)| element(own, children))
    })
}

proptest! {
    #[test]
    fn agrees_with_the_simple_way(element in elements()) {
        let mut xml = String::new();
        element.write(&mut xml);
        let text = converted(&xml).unwrap();
        let mut expected = serde_json::Map::new();
        expected.insert(element.tag.clone(), element.json());
        prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), Value::Object(expected), "{}", xml);
    }

    #[test]
    fn makes_json_of_broken_xml_or_nothing(
        element in elements(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..3u8, any::<u8>(), 0..24usize), 1..4),
    ) {
        let mut xml = String::new();
        element.write(&mut xml);
        let mut bytes = xml.into_bytes();
        for (place, what, byte, likely) in changes {
            let byte = b"<>/\"'=&;#! ?[]-x\x04".get(likely).copied().unwrap_or(byte);
            let place = place.index(bytes.len() + 1);
            match what {
                0 => bytes.insert(place, byte),
                1 if place < bytes.len() => bytes[place] = byte,
                _ => bytes.truncate(place),
            }
        }
        is_json_or_nothing(&bytes)?;
    }

    #[test]
    fn makes_json_of_markup_soup_or_nothing(text in r#"(<[ab]( [ab_]='[&#x;1]{0,4}')? ?/?>|</[ab]>|[<>/"'=&;#!?\[\]\-ab \x04é]|&[a-z#x0-9]{1,5};|<!\[CDATA\[|\]\]>|<!--|-->){0,24}"#) {
        is_json_or_nothing(text.as_bytes())?;
        is_json_or_nothing(format!("<a>{text}</a>").as_bytes())?;
    }

    #[test]
    fn takes_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        is_json_or_nothing(&bytes)?;
    }
}

/// Whatever comes in: a JSON text without line ends and without a member twice, or a reason.
fn is_json_or_nothing(bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(text) = to_json(bytes, None) {
        prop_assert!(
            serde_json::from_slice::<Unique>(&text).is_ok(),
            "{:?}",
            String::from_utf8_lossy(&text)
        );
        prop_assert!(memchr::memchr2(b'\n', b'\r', &text).is_none());
    }
    Ok(())
}

/// JSON of objects, arrays and strings, no object with a member twice.
struct Unique;

impl<'de> serde::Deserialize<'de> for Unique {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Unique;
            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object, an array or a string")
            }
            fn visit_str<E>(self, _: &str) -> Result<Unique, E> {
                Ok(Unique)
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut seq: A,
            ) -> Result<Unique, A::Error> {
                while seq.next_element::<Unique>()?.is_some() {}
                Ok(Unique)
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Unique, A::Error> {
                let mut names = std::collections::HashSet::new();
                while let Some((name, Unique)) = map.next_entry::<String, _>()? {
                    if !names.insert(name) {
                        return Err(serde::de::Error::custom("a member twice"));
                    }
                }
                Ok(Unique)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// `cargo test --release -p plexsync-worker --lib -- --ignored --nocapture how_fast`
#[test]
#[ignore = "prints a figure, checks nothing"]
fn how_fast_is_a_large_listing() {
    let entry = r#"<Video ratingKey="55" key="/library/metadata/55" type="movie" title="Big Buck Bunny" year="2008"
      summary="Follow a day of the life of Big Buck Bunny when he meets three bullying rodents &amp; more." rating="6.2">
      <Media id="46" duration="5062"><Part id="46" file="/data/Big Buck Bunny.mp4" size="13400000"/></Media>
      <Genre tag="Animation"/><Genre tag="Comedy"/><Director tag="Sacha"/></Video>"#;
    let text = format!("<MediaContainer>{}</MediaContainer>", entry.repeat(20_000));
    for _ in 0..5 {
        let start = Instant::now();
        to_json(text.as_bytes(), None).unwrap();
        println!("{} bytes: {:?}", text.len(), start.elapsed());
    }
}
