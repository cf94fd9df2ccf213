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

/// Both in one query: a hook needs both, and the user waits.
pub(super) fn settings_and_scene_question(plugin_id: &str, scene_id: &str) -> Vec<u8> {
    question(
        "query($ids:[ID!],$id:ID!){configuration{plugins(include:$ids)}findScene(id:$id){id files{path}}}",
        &json!({"ids": [plugin_id], "id": scene_id}),
    )
}

fn question(query: &str, variables: &Value) -> Vec<u8> {
    json!({"query": query, "variables": variables}).to_string().into_bytes()
}

/// What the user saved for a plugin.
pub(super) type Saved = Map<String, Value>;

/// Paths of a scene's files; `None` if Stash has no such scene.
pub(super) type Files = Option<Vec<String>>;

/// Why an answer's body holds no data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BadAnswer {
    /// GraphQL errors; the first one's text.
    Errors(String),
    /// Not a GraphQL response, or not of the expected shape.
    Shape,
}

/// What the user saved for a plugin; empty if nothing.
pub(super) fn settings_answer(body: &[u8], plugin_id: &str) -> Result<Saved, BadAnswer> {
    Answer::read(body)?.configuration(plugin_id)
}

pub(super) fn version_answer(body: &[u8]) -> Result<String, BadAnswer> {
    let version: Version = Answer::read(body)?.field("version")?;
    Ok(version.version)
}

pub(super) fn scene_answer(body: &[u8]) -> Result<Files, BadAnswer> {
    Answer::read(body)?.scene()
}

/// Each half of the answer for itself: one can fail without the other.
pub(super) fn settings_and_scene_answer(
    body: &[u8],
    plugin_id: &str,
) -> (Result<Saved, BadAnswer>, Result<Files, BadAnswer>) {
    match Answer::read(body) {
        Ok(answer) => (answer.configuration(plugin_id), answer.scene()),
        Err(bad) => (Err(bad.clone()), Err(bad)),
    }
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
    /// Where it failed, the queried field first; nothing if the query as a whole was refused.
    #[serde(default)]
    path: Option<Vec<Value>>,
}

impl Answer {
    fn read(body: &[u8]) -> Result<Self, BadAnswer> {
        serde_json::from_slice(body).map_err(|_| BadAnswer::Shape)
    }

    fn configuration(&self, plugin_id: &str) -> Result<Saved, BadAnswer> {
        let mut configuration: Configuration = self.field("configuration")?;
        Ok(configuration.plugins.remove(plugin_id).unwrap_or_default().unwrap_or_default())
    }

    fn scene(&self) -> Result<Files, BadAnswer> {
        let scene: Option<Scene> = self.field("findScene")?;
        Ok(scene.map(|scene| scene.files.into_iter().map(|file| file.path).collect()))
    }

    /// A queried field, unless an error concerns it. A field that must not be null (`configuration`) takes all data
    /// with it when it fails.
    fn field<Data: for<'de> Deserialize<'de>>(&self, name: &str) -> Result<Data, BadAnswer> {
        let has = |name: &str| self.data.get(name).is_some();
        let elsewhere = |error: &GraphqlError| {
            let field = error.path.iter().flatten().next().and_then(Value::as_str);
            field.is_some_and(|field| field != name && has(field) && has(name))
        };
        let mut errors = self.errors.iter().flatten();
        if let Some(error) = errors.find(|error| !elsewhere(error)) {
            return Err(BadAnswer::Errors(error.message.clone()));
        }
        let field = self.data.get(name).ok_or(BadAnswer::Shape)?;
        Data::deserialize(field).map_err(|_| BadAnswer::Shape)
    }
}

#[derive(Deserialize)]
struct Configuration {
    plugins: std::collections::BTreeMap<String, Option<Saved>>,
}

#[derive(Deserialize)]
struct Version {
    version: String,
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
            (
                settings_and_scene_question("plexsync", "45"),
                json!({
                    "query": "query($ids:[ID!],$id:ID!){configuration{plugins(include:$ids)}\
                              findScene(id:$id){id files{path}}}",
                    "variables": {"ids": ["plexsync"], "id": "45"},
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

    #[test]
    fn settings_and_scene_fail_each_for_itself() {
        let (good, gone) = (Ok(Some("u".to_owned())), Ok(Some(vec!["/a".to_owned()])));
        let failed = |text: &str| BadAnswer::Errors(text.to_owned());
        let configuration = r#""configuration":{"plugins":{"plexsync":{"plex_url":"u"}}}"#;
        let scene = r#""findScene":{"id":"45","files":[{"path":"/a"}]}"#;
        let cases = [
            (format!(r#"{{"data":{{{configuration},{scene}}}}}"#), good.clone(), gone.clone()),
            (format!(r#"{{"data":{{{configuration},"findScene":null}}}}"#), good.clone(), Ok(None)),
            (
                format!(
                    r#"{{"errors":[{{"message":"busy","path":["findScene","files"]}}],"data":{{{configuration},"findScene":null}}}}"#
                ),
                good,
                Err(failed("busy")),
            ),
            (
                format!(
                    r#"{{"errors":[{{"message":"busy","path":["configuration"]}}],"data":{{"configuration":null,{scene}}}}}"#
                ),
                Err(failed("busy")),
                gone,
            ),
            // A field that must not be null takes the scene with it.
            (
                r#"{"errors":[{"message":"busy","path":["configuration","plugins"]}],"data":null}"#
                    .to_owned(),
                Err(failed("busy")),
                Err(failed("busy")),
            ),
            (
                r#"{"errors":[{"message":"no such field","path":null}],"data":null}"#.to_owned(),
                Err(failed("no such field")),
                Err(failed("no such field")),
            ),
            (
                format!(r#"{{"data":{{{scene}}}}}"#),
                Err(BadAnswer::Shape),
                Ok(Some(vec!["/a".to_owned()])),
            ),
            ("<html>".to_owned(), Err(BadAnswer::Shape), Err(BadAnswer::Shape)),
        ];
        for (body, settings, files) in cases {
            let (saved, found) = settings_and_scene_answer(body.as_bytes(), "plexsync");
            let url = |saved: Saved| saved["plex_url"].as_str().map(str::to_owned);
            assert_eq!((saved.map(url), found), (settings, files), "{body}");
        }
    }
}
