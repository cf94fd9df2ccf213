//! XML of all kinds, beside the simple way to read it.

use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{converted, to_json};

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
