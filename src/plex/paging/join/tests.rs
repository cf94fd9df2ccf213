use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::plex::response::work::Stop;
use crate::plex::response::xml;

fn page(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

/// A page as PMS writes it: entries `start..end` of `total`.
fn metadata(start: u64, end: u64, total: u64) -> Vec<u8> {
    let entries: Vec<_> = (start..end).map(|key| json!({"ratingKey": key.to_string()})).collect();
    let mut container = json!({"size": entries.len(), "totalSize": total, "offset": start});
    if !entries.is_empty() {
        container["Metadata"] = entries.into();
    }
    json!({"MediaContainer": container}).to_string().into_bytes()
}

/// The same without the members that tell about paging.
fn bare(start: u64, end: u64) -> Vec<u8> {
    let entries: Vec<_> = (start..end).map(|key| json!({"ratingKey": key})).collect();
    json!({"MediaContainer": {"size": end - start, "Metadata": entries}}).to_string().into_bytes()
}

fn value(text: &[u8]) -> Value {
    serde_json::from_slice(text).unwrap()
}

#[test]
fn joins_until_the_total() {
    let mut joined = Joined::new(&metadata(0, 100, 230)).unwrap();
    assert_eq!((joined.done(), joined.total(), joined.is_complete()), (100, Some(230), false));
    assert_eq!(joined.add(&metadata(100, 200, 230)), Ok(100));
    assert_eq!((joined.done(), joined.is_complete()), (200, false));
    assert_eq!(joined.add(&metadata(200, 230, 230)), Ok(30));
    assert_eq!((joined.done(), joined.is_complete()), (230, true));
    let mut expected = value(&metadata(0, 230, 230));
    expected["MediaContainer"]["size"] = json!(230);
    assert_eq!(value(&joined.finish()), expected);
}

#[test]
fn leaves_all_but_size_and_entries_as_it_came() {
    let first = r#"{ "MediaContainer" : { "size":2, "totalSize" : 3, "x":1e400, "offset":0,
        "Metadata":[ {"b":1,"a":1.50,"b":2} , {"n":123456789012345678901234567890} ] , "size2":2 } } "#;
    let last =
        r#"{"MediaContainer":{"Metadata":[{"\u0041":"]}\""}],"size":1,"totalSize":3,"offset":2}}"#;
    let mut joined = Joined::new(&page(first)).unwrap();
    assert_eq!(joined.add(&page(last)), Ok(1));
    assert!(joined.is_complete());
    let expected = r#"{"MediaContainer":{"size":3,"totalSize":3,"x":1e400,"offset":0,"Metadata":[{"b":1,"a":1.50,"b":2} , {"n":123456789012345678901234567890},{"\u0041":"]}\""}],"size2":2}}"#;
    assert_eq!(String::from_utf8(joined.finish()).unwrap(), expected);
}

#[test]
fn a_listing_that_came_whole_is_complete_and_unchanged() {
    for first in [
        metadata(0, 3, 3),
        metadata(0, 250, 250),
        bare(0, 3),
        bare(0, 250),
        page(r#"{"MediaContainer":{"size":0,"Metadata":[]}}"#),
        page(r#"{"MediaContainer":{"size":1,"Odd":[{}]}}"#),
        page(r#"{"user":{"Device":[{}]}}"#),
    ] {
        let joined = Joined::new(&first).unwrap();
        assert!(joined.is_complete(), "{}", String::from_utf8_lossy(&first));
        assert_eq!(joined.shortfall(), None);
        assert_eq!(joined.finish(), first);
    }
}

#[test]
fn gives_back_what_is_no_listing() {
    for body in [
        "",
        "null",
        "[{}]",
        "\"<MediaContainer/>\"",
        "{}",
        r#"{"MediaContainer":{}}"#,
        r#"{"MediaContainer":{"size":0,"totalSize":0}}"#,
        r#"{"MediaContainer":[{}]}"#,
        r#"{"MediaContainer":{"Metadata":[1]}}"#,
        r#"{"MediaContainer":{"Metadata":[{},1]}}"#,
        r#"{"MediaContainer":{"Metadata":{}}}"#,
        r#"{"MediaContainer":{"Odd":[{}],"Other":[{}]}}"#,
        r#"{"MediaContainer":{"Metadata":[{}]},"more":1}"#,
        r#"{"MediaContainer":{"Metadata":[{}]}} x"#,
        r#"{"MediaContainer":{"Metadata":[{}],}}"#,
        r#"{"MediaContainer":{"Metadata":[{},]}}"#,
        r#"{"MediaContainer":{"Metadata":[{}]}"#,
        r#"{"errors":[{"code":1001}]}"#,
    ] {
        assert!(Joined::new(&page(body)).is_none(), "{body}");
    }
}

#[test]
fn ends_at_an_empty_page_and_says_what_is_missing() {
    for empty in [
        metadata(100, 100, 300),
        page(r#"{"MediaContainer":{"size":0}}"#),
        page(r#"{"MediaContainer":{"Metadata":[]}}"#),
    ] {
        let mut joined = Joined::new(&metadata(0, 100, 300)).unwrap();
        assert_eq!(joined.add(&empty), Ok(0));
        assert!(joined.is_complete());
        let missing = "the listing has `300` entries, but the server sent only `100`";
        assert_eq!(joined.shortfall().as_deref(), Some(missing));
        assert_eq!(joined.finish(), metadata(0, 100, 300));
    }
}

#[test]
fn ends_at_a_page_that_was_there_before() {
    let mut same = Joined::new(&bare(0, 100)).unwrap();
    assert!(!same.is_complete());
    assert_eq!(same.add(&bare(0, 100)), Ok(0));
    assert!(same.is_complete());
    assert_eq!(same.finish(), bare(0, 100));

    let mut offset = Joined::new(&metadata(0, 100, 300)).unwrap();
    assert_eq!(
        offset.add(&page(
            r#"{"MediaContainer":{"offset":0,"totalSize":300,"Metadata":[{"new":1}]}}"#
        )),
        Ok(0)
    );
    assert!(offset.is_complete());
    assert!(offset.shortfall().is_some(), "the server ignores where a page is to start");

    let mut round = Joined::new(&bare(0, 100)).unwrap();
    assert_eq!(round.add(&bare(100, 200)), Ok(100));
    assert_eq!(round.add(&bare(0, 100)), Ok(0));
    assert!(round.is_complete());
    assert_eq!(value(&round.finish()), value(&bare(0, 200)));
}

#[test]
fn goes_on_without_a_total() {
    let mut joined = Joined::new(&bare(0, 100)).unwrap();
    assert_eq!((joined.total(), joined.is_complete()), (None, false));
    assert_eq!(joined.add(&bare(100, 200)), Ok(100));
    assert!(!joined.is_complete());
    assert_eq!(joined.add(&bare(200, 201)), Ok(1));
    assert!(joined.is_complete(), "a page that isn't full is the last");
    assert_eq!(value(&joined.finish()), value(&bare(0, 201)));

    // with an offset the server pages, perhaps by fewer than were asked for
    let short =
        Joined::new(&page(r#"{"MediaContainer":{"offset":0,"size":1,"Metadata":[{}]}}"#)).unwrap();
    assert!(!short.is_complete());
}

#[test]
fn goes_on_after_short_pages_and_hidden_entries() {
    let mut short = Joined::new(&metadata(0, 20, 50)).unwrap();
    assert_eq!(short.add(&metadata(20, 40, 50)), Ok(20));
    assert_eq!((short.done(), short.is_complete()), (40, false));

    let hidden = r#"{"MediaContainer":{"offset":0,"size":100,"totalSize":150,"Metadata":[{"a":1},{"b":1}]}}"#;
    let mut joined = Joined::new(&page(hidden)).unwrap();
    assert_eq!(joined.done(), 100);
    assert_eq!(joined.add(&metadata(100, 150, 150)), Ok(50));
    assert!(joined.is_complete());
    assert_eq!(joined.shortfall(), None, "hidden entries are not missing");
    assert_eq!(value(&joined.finish())["MediaContainer"]["size"], 52);
}

#[test]
fn follows_a_total_that_changes() {
    let mut joined = Joined::new(&metadata(0, 100, 200)).unwrap();
    assert_eq!(joined.add(&metadata(100, 200, 201)), Ok(100));
    assert_eq!((joined.total(), joined.is_complete()), (Some(201), false));
}

#[test]
fn refuses_a_page_of_something_else() {
    for other in [
        "",
        "null",
        "\"<html>\"",
        r#"{"errors":[{}]}"#,
        r#"{"Response":{"code":503}}"#,
        r#"{"MediaContainer":{"#,
    ] {
        let mut joined = Joined::new(&metadata(0, 100, 200)).unwrap();
        assert!(joined.add(&page(other)).is_err(), "{other}");
        assert!(!joined.is_complete());
        assert_eq!(joined.finish(), metadata(0, 100, 200));
    }
}

#[test]
fn joins_what_was_xml() {
    let xml = |text: &str| xml::to_json(text, &Stop::default()).unwrap().unwrap();
    let mut joined =
        Joined::new(&xml("<MediaContainer size='2' totalSize='5'><Directory a='1'/><Directory a='2'/></MediaContainer>")).unwrap();
    assert_eq!((joined.done(), joined.total(), joined.is_complete()), (2, Some(5), false));
    let last = "<MediaContainer size='3' totalSize='5'><Directory a='3'/><Video a='4'/><Video a='5'/></MediaContainer>";
    assert_eq!(joined.add(&xml(last)), Ok(3));
    assert!(joined.is_complete());
    assert_eq!(
        String::from_utf8(joined.finish()).unwrap(),
        concat!(
            r#"{"MediaContainer":{"size":"5","totalSize":"5","Directory":[{"a":"1"},{"a":"2"},{"a":"3"}],"#,
            r#""Video":[{"a":"4"},{"a":"5"}]}}"#
        )
    );
}

#[test]
fn takes_the_array_that_size_counts() {
    let first = r#"{"MediaContainer":{"size":2,"totalSize":3,"Directory":[{"d":1},{"d":2}],"Metadata":[{"m":1}],"Odd":[{}]}}"#;
    let mut joined = Joined::new(&page(first)).unwrap();
    assert_eq!(joined.done(), 2);
    let last = r#"{"MediaContainer":{"size":1,"totalSize":3,"Directory":[{"d":3}],"Odd":[{}]}}"#;
    assert_eq!(joined.add(&page(last)), Ok(1));
    let expected = json!({"size": 3, "totalSize": 3, "Directory": [{"d": 1}, {"d": 2}, {"d": 3}], "Metadata": [{"m": 1}], "Odd": [{}]});
    assert_eq!(value(&joined.finish())["MediaContainer"], expected);
}

proptest! {
    #[test]
    fn joins_as_the_simple_way(sizes in prop::collection::vec(1..30u64, 1..8)) {
        let total = sizes.iter().sum();
        let mut start = 0;
        let mut joined: Option<Joined> = None;
        for size in &sizes {
            let next = metadata(start, start + size, total);
            match &mut joined {
                None => joined = Some(Joined::new(&next).unwrap()),
                Some(joined) => {
                    prop_assert!(!joined.is_complete());
                    prop_assert_eq!(joined.add(&next), Ok(*size));
                }
            }
            start += size;
            prop_assert_eq!(joined.as_ref().map(Joined::done), Some(start));
        }
        let joined = joined.unwrap();
        prop_assert!(joined.is_complete());
        prop_assert_eq!(value(&joined.finish()), value(&metadata(0, total, total)));
    }

    #[test]
    fn makes_json_of_any_json(texts in prop::collection::vec(crate::plex::response::json::tests::texts(), 1..4), name in "[ab]|Metadata") {
        let wrapped = |text: &String| format!(r#"{{"M":{{"size":0,"{name}":[{{"a":{text}}}]}}}}"#);
        for texts in [texts.clone(), texts.iter().map(wrapped).collect()] {
            if let Some(mut joined) = Joined::new(&page(&texts[0])) {
                for text in &texts {
                    let _ = joined.add(&page(text));
                }
                let text = joined.finish();
                prop_assert!(serde_json::from_slice::<Value>(&text).is_ok(), "{:?}", String::from_utf8_lossy(&text));
            }
        }
    }

    #[test]
    fn takes_any_bytes(
        cut in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        soup in r#"(\{"M":\{|"size":|"Metadata":|\[|\]|\{|\}|,|1|"){0,20}"#,
    ) {
        let mut bytes = metadata(0, 3, 9);
        let place = place.index(bytes.len());
        bytes[place] = byte;
        let cut = cut.index(bytes.len() + 1);
        for text in [bytes.clone(), bytes[..cut].to_vec(), soup.clone().into_bytes()] {
            if let Some(mut joined) = Joined::new(&text) {
                let _ = joined.add(&metadata(3, 6, 9));
                let _ = joined.add(&text);
                let _ = joined.add(&metadata(6, 9, 9));
                prop_assert!(serde_json::from_slice::<Value>(&joined.finish()).is_ok() || byte >= 0x80);
            }
        }
    }
}
