mod properties;

use serde_json::Value;

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
