//! GraphQL queries, and Stash's responses. No I/O.

use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The query for one plugin's settings. The list is never empty: that would mean every plugin's.
pub(super) fn settings_question(plugin_id: &str) -> Vec<u8> {
    question(
        "query($ids:[ID!]){configuration{plugins(include:$ids)}}",
        &json!({"ids": [plugin_id]}),
    )
}

pub(super) fn version_question() -> Vec<u8> {
    question("query{version{version}}", &json!({}))
}

pub(super) fn scene_question(scene_id: &str) -> Vec<u8> {
    question("query($id:ID!){findScene(id:$id){id files{path}}}", &json!({"id": scene_id}))
}

fn question(query: &str, variables: &Value) -> Vec<u8> {
    json!({"query": query, "variables": variables}).to_string().into_bytes()
}

/// Why an answer's body holds no data.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BadAnswer {
    /// GraphQL errors; the first one's text.
    Errors(String),
    /// Not a GraphQL response, or not of the expected shape.
    Shape,
}

/// What the user saved for a plugin; empty if nothing.
pub(super) fn settings_answer(
    body: &[u8],
    plugin_id: &str,
) -> Result<Map<String, Value>, BadAnswer> {
    let mut data: SettingsData = read(body)?;
    Ok(data.configuration.plugins.remove(plugin_id).unwrap_or_default().unwrap_or_default())
}

pub(super) fn version_answer(body: &[u8]) -> Result<String, BadAnswer> {
    let data: VersionData = read(body)?;
    Ok(data.version.version)
}

/// Paths of the scene's files; `None` if Stash has no such scene.
pub(super) fn scene_answer(body: &[u8]) -> Result<Option<Vec<String>>, BadAnswer> {
    let data: SceneData = read(body)?;
    Ok(data.scene.map(|scene| scene.files.into_iter().map(|file| file.path).collect()))
}

fn read<Data: for<'de> Deserialize<'de>>(body: &[u8]) -> Result<Data, BadAnswer> {
    let answer: Answer = serde_json::from_slice(body).map_err(|_| BadAnswer::Shape)?;
    if let Some(error) = answer.errors.into_iter().flatten().next() {
        return Err(BadAnswer::Errors(error.message));
    }
    serde_json::from_value(answer.data).map_err(|_| BadAnswer::Shape)
}

/// A GraphQL answer (specification, section 7.1).
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    data: Value,
    #[serde(default)]
    errors: Option<Vec<GraphqlError>>,
}

#[derive(Deserialize)]
struct GraphqlError {
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct SettingsData {
    configuration: Configuration,
}

#[derive(Deserialize)]
struct Configuration {
    plugins: std::collections::BTreeMap<String, Option<Map<String, Value>>>,
}

#[derive(Deserialize)]
struct VersionData {
    version: Version,
}

#[derive(Deserialize)]
struct Version {
    version: String,
}

/// `findScene` must be present: null means no such scene.
#[derive(Deserialize)]
struct SceneData {
    #[serde(rename = "findScene", deserialize_with = "Option::deserialize")]
    scene: Option<Scene>,
}

#[derive(Deserialize)]
struct Scene {
    files: Vec<SceneFile>,
}

#[derive(Deserialize)]
struct SceneFile {
    path: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_questions_are_stash_s_words() {
        let cases = [
            (
                settings_question("plexsync"),
                json!({
                    "query": "query($ids:[ID!]){configuration{plugins(include:$ids)}}",
                    "variables": {"ids": ["plexsync"]},
                }),
            ),
            (version_question(), json!({"query": "query{version{version}}", "variables": {}})),
            (
                scene_question("45"),
                json!({
                    "query": "query($id:ID!){findScene(id:$id){id files{path}}}",
                    "variables": {"id": "45"},
                }),
            ),
        ];
        for (question, expected) in cases {
            assert_eq!(serde_json::from_slice::<Value>(&question).unwrap(), expected);
        }
    }

    #[test]
    fn settings_of_the_plugin_and_no_other() {
        let cases = [
            (r#"{"data":{"configuration":{"plugins":{"plexsync":{"plex_url":"u"}}}}}"#, Some("u")),
            (r#"{"data":{"configuration":{"plugins":{"PlexSync":{"plex_url":"u"}}}}}"#, None),
            (r#"{"data":{"configuration":{"plugins":{"plexsync":null}}}}"#, None),
            (r#"{"data":{"configuration":{"plugins":{}}},"errors":[]}"#, None),
            (r#"{"data":{"configuration":{"plugins":{}}},"errors":null,"extensions":{}}"#, None),
        ];
        for (body, url) in cases {
            let saved = settings_answer(body.as_bytes(), "plexsync").unwrap();
            assert_eq!(saved.get("plex_url").and_then(Value::as_str), url, "{body}");
        }
    }

    #[test]
    fn a_version_is_a_text() {
        let told = |body: &str| version_answer(body.as_bytes());
        assert_eq!(told(r#"{"data":{"version":{"version":"v0.30.1"}}}"#), Ok("v0.30.1".to_owned()));
        assert_eq!(told(r#"{"data":{"version":{"version":null}}}"#), Err(BadAnswer::Shape));
        assert_eq!(told(r#"{"data":null}"#), Err(BadAnswer::Shape));
    }

    #[test]
    fn a_scene_its_absence_and_no_answer_differ() {
        let paths = |paths: &[&str]| Some(paths.iter().map(ToString::to_string).collect());
        let cases = [
            (
                r#"{"data":{"findScene":{"id":"45","files":[{"path":"/a"},{"path":"/b"}]}}}"#,
                Ok(paths(&["/a", "/b"])),
            ),
            (r#"{"data":{"findScene":{"id":"45","files":[]}}}"#, Ok(paths(&[]))),
            (r#"{"data":{"findScene":null}}"#, Ok(None)),
            (r#"{"data":{}}"#, Err(BadAnswer::Shape)),
            (r#"{"data":null}"#, Err(BadAnswer::Shape)),
            (r#"{"data":{"findScene":{"id":"45"}}}"#, Err(BadAnswer::Shape)),
            ("", Err(BadAnswer::Shape)),
            ("<html>", Err(BadAnswer::Shape)),
            (
                r#"{"errors":[{"message":"no such field","path":["x"]}],"data":{"findScene":null}}"#,
                Err(BadAnswer::Errors("no such field".to_owned())),
            ),
            (r#"{"errors":[{}]}"#, Err(BadAnswer::Errors(String::new()))),
        ];
        for (body, expected) in cases {
            assert_eq!(scene_answer(body.as_bytes()), expected, "{body}");
        }
    }
}
