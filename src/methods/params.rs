//! Reads params into types. An error says where and what was expected, never what was found there.

use plexsync_protocol::error::ErrorObject;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// Reads a method's params: an object, or one alone in an array.
pub(crate) fn read<T: DeserializeOwned>(params: Option<&RawValue>) -> Result<T, ErrorObject> {
    let text = object(params)?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| explain(&error))
}

/// Makes sure that there are no params.
pub(crate) fn none(params: Option<&RawValue>) -> Result<(), ErrorObject> {
    if params.is_none() {
        return Ok(());
    }
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}
    read::<Nothing>(params).map(|Nothing {}| ())
}

/// The params' object. Go's `net/rpc/jsonrpc` puts it alone in an array.
fn object(params: Option<&RawValue>) -> Result<&str, ErrorObject> {
    let Some(params) = params else { return Ok("{}") };
    if params.get().starts_with('{') {
        return Ok(params.get());
    }
    let members: Result<Vec<&RawValue>, _> = serde_json::from_str(params.get());
    match members.as_deref() {
        Ok([]) => Ok("{}"),
        Ok([only]) if only.get() == "null" => Ok("{}"),
        Ok([only]) if only.get().starts_with('{') => Ok(only.get()),
        _ => Err(ErrorObject::invalid_params("", "expected an object of named params")),
    }
}

fn explain(error: &serde_path_to_error::Error<serde_json::Error>) -> ErrorObject {
    let text = error.inner().to_string();
    let pointer = pointer(error.path());
    if let Some(name) = quoted_after(&text, "missing field ") {
        return ErrorObject::invalid_params(format!("{pointer}/{}", escape(name)), "is missing");
    }
    if let Some(name) = quoted_after(&text, "duplicate field ") {
        return ErrorObject::invalid_params(format!("{pointer}/{}", escape(name)), "is repeated");
    }
    if text.starts_with("unknown field ") {
        return ErrorObject::invalid_params(
            pointer,
            format!("is not a param of this method{}", expected(&text)),
        );
    }
    if half_a_pair(&text) {
        return ErrorObject::invalid_params(pointer, HALF_A_PAIR);
    }
    let reason = expected(&text);
    let reason = if reason.is_empty() { "can't be read" } else { reason.trim_start_matches(", ") };
    ErrorObject::invalid_params(pointer, reason)
}

const HALF_A_PAIR: &str = "holds half a surrogate pair (`\\ud800` to `\\udfff`), which is not a character: a file name \
     that is not UTF-8 can't be sent in JSON";

/// serde_json's message for an escape of half a character, as `os.fsdecode` of Python makes them.
pub(crate) fn half_a_pair(text: &str) -> bool {
    text.starts_with("lone leading surrogate") || text.starts_with("unexpected end of hex escape")
}

/// What serde expected, behind a comma; empty if it did not say. The text before it may quote the value.
pub(crate) fn expected(text: &str) -> String {
    let Some(start) = text.rfind(", expected ") else { return String::new() };
    let expected = &text[start..];
    let end = expected.rfind(" at line ").unwrap_or(expected.len());
    match &expected[..end] {
        ", expected u16" | ", expected u32" | ", expected u64" => {
            ", expected a whole number, 0 or more".to_owned()
        }
        ", expected a sequence" => ", expected an array".to_owned(),
        ", expected a map" => ", expected an object".to_owned(),
        // A type of ours: it is written as an object.
        expected if expected.starts_with(", expected struct ") => ", expected an object".to_owned(),
        expected => expected.to_owned(),
    }
}

fn quoted_after<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    text.strip_prefix(start)?.strip_prefix('`')?.split('`').next()
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let segments = path.iter().map(|segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", escape(key)),
        Segment::Enum { .. } | Segment::Unknown => String::new(),
    });
    segments.collect()
}

/// RFC 6901, section 3.
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use plexsync_protocol::plex::RequestParams;

    fn refusal(params: &str) -> (String, String) {
        let raw = RawValue::from_string(params.to_owned()).unwrap();
        let Err(error) = read::<RequestParams>(Some(&raw)) else { panic!("`{params}` was taken") };
        assert!(!error.to_string().contains("SECRET"), "{error}");
        let data = error.data.unwrap();
        (data["pointer"].as_str().unwrap().to_owned(), data["reason"].as_str().unwrap().to_owned())
    }

    #[test]
    fn errors_point_at_the_param() {
        for (params, pointer) in [
            ("[1]", ""),
            (r#"[{"path":"/"},{}]"#, ""),
            ("{}", "/path"),
            (r#"{"path":5}"#, "/path"),
            (r#"{"path":"/","method":"SECRET"}"#, "/method"),
            (r#"{"path":"/","timeout_ms":"SECRET, expected nothing"}"#, "/timeout_ms"),
            (r#"{"path":"/","timeout_ms":-5}"#, "/timeout_ms"),
            (r#"{"path":"/","headers":{"a~b/c":{"x":"SECRET"}}}"#, "/headers/a~0b~1c"),
            (r#"{"path":"/","nonsense":"SECRET"}"#, "/nonsense"),
            (r#"{"path":"/","path":"SECRET"}"#, "/path"),
            (r#"{"path":"/caf\udce9/SECRET"}"#, "/path"),
            (r#"{"path":"/","headers":{"a":"\ud800"}}"#, "/headers/a"),
            (r#"{"path":"/","query":{"a":["\ud83d x"]}}"#, "/query/a/0"),
        ] {
            let (found, reason) = refusal(params);
            assert_eq!(found, pointer, "{params}: {reason}");
            assert!(!reason.is_empty());
        }
    }

    #[test]
    fn no_rust_type_is_named() {
        for (params, expected) in [
            (r#"{"path":"/","timeout_ms":-5}"#, "a whole number"),
            (r#"{"path":"/","timeout_ms":1.5}"#, "a whole number"),
            (r#"{"path":"/","timeout_ms":"5"}"#, "a whole number"),
            (r#"{"path":"/","retries":4294967296}"#, "a whole number"),
            (r#"{"path":"/","max_bytes":-1}"#, "a whole number"),
            (r#"{"path":"/","query":[]}"#, "an object"),
            (r#"{"path":"/","headers":"a"}"#, "an object"),
            (r#"{"path":"/","token":1}"#, "a string"),
            (r#"{"path":"/","all_pages":"yes"}"#, "a boolean"),
        ] {
            let (_, reason) = refusal(params);
            assert!(reason.starts_with(&format!("expected {expected}")), "{params}: {reason}");
        }
    }

    #[test]
    fn half_a_character_is_named() {
        for text in [r"\udce9", r"\ud800", r"\ud83d\u0041", r"\ud83dx", r"\udc00"] {
            let (pointer, reason) = refusal(&format!("{{\"path\":\"/SECRET{text}\"}}"));
            assert_eq!(pointer, "/path");
            assert!(reason.contains("half a surrogate pair"), "{text}: {reason}");
        }
    }

    #[test]
    fn one_object_alone_stands_for_itself() {
        let raw =
            RawValue::from_string(r#"[{"path":"/a","body":{"b":1e400}}]"#.to_owned()).unwrap();
        let params: RequestParams = read(Some(&raw)).unwrap();
        assert_eq!((params.path.as_str(), params.body.unwrap().get()), ("/a", r#"{"b":1e400}"#));
    }

    #[test]
    fn nothing_can_be_said_in_many_ways() {
        for params in ["{}", "[]", "[null]", "[{}]"] {
            let raw = RawValue::from_string(params.to_owned()).unwrap();
            none(Some(&raw)).unwrap();
        }
        let raw = RawValue::from_string("{\"a\":1}".to_owned()).unwrap();
        none(Some(&raw)).unwrap_err();
    }
}
