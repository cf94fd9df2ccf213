//! JSON Schemas (draft 7, as OpenRPC asks) of the types, and of the few values whose Rust type says too little.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::error::{
    AnswerTooLarge, Code, IdentityChanged, IdentityUnavailable, InvalidParams, NotConfigured,
    PlexTimeout, PlexUnreachable, RefusedByPlex, SignInIncomplete,
};

/// An id, or a token that is given back as it came.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is wanted")]
pub(crate) enum Id {
    Text(String),
    Number(f64),
}

/// One value of a query.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is wanted")]
pub(crate) enum QueryValue {
    One(QueryScalar),
    Repeated(Vec<QueryScalar>),
}

/// String, number, boolean (sent as `1` or `0`) or null (left out).
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is wanted")]
pub(crate) enum QueryScalar {
    Text(String),
    Number(f64),
    Truth(bool),
    Absent(()),
}

/// A body: a string is sent as it is, the others as JSON.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is wanted")]
pub(crate) enum Body {
    Text(String),
    Object(Map<String, Value>),
    Array(Vec<Value>),
}

/// The params of a method: an object, or a string that holds one.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is wanted")]
pub(crate) enum RunParams {
    Object(Map<String, Value>),
    Text(String),
}

/// Collects schemas under `#/components/schemas`.
pub(super) struct Schemas {
    /// What the worker writes: a member that it always writes is required.
    written: SchemaGenerator,
    /// What the worker reads: a member that it can do without is not.
    read: SchemaGenerator,
}

impl Default for Schemas {
    fn default() -> Self {
        let settings = SchemaSettings::draft07().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        let settings = settings.with_transform(RecursiveTransform(tidy));
        Self {
            written: settings.clone().for_serialize().into_generator(),
            read: settings.for_deserialize().into_generator(),
        }
    }
}

impl Schemas {
    /// A reference to the type's schema.
    pub(super) fn of<T: JsonSchema>(&mut self) -> Value {
        self.written.subschema_for::<T>().to_value()
    }

    /// A reference to the schema of the error's data, where it has data.
    pub(super) fn of_data(&mut self, code: Code) -> Option<Value> {
        Some(match code {
            Code::InvalidParams => self.of::<InvalidParams>(),
            Code::IdentityUnavailable => self.of::<IdentityUnavailable>(),
            Code::IdentityChanged => self.of::<IdentityChanged>(),
            Code::PlexUnreachable => self.of::<PlexUnreachable>(),
            Code::PlexTimeout => self.of::<PlexTimeout>(),
            Code::AnswerTooLarge => self.of::<AnswerTooLarge>(),
            Code::RefusedByPlex => self.of::<RefusedByPlex>(),
            Code::SignInIncomplete => self.of::<SignInIncomplete>(),
            Code::NotConfigured => self.of::<NotConfigured>(),
            _ => return None,
        })
    }

    /// The type's members as Content Descriptors, the required ones first.
    pub(super) fn params_of<T: JsonSchema>(&mut self) -> Vec<Value> {
        let mut schema = T::json_schema(&mut self.read);
        self.read.transforms_mut().for_each(|step| step.transform(&mut schema));
        let none = Map::new();
        let members = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
        let required = |name: &String| {
            let names = schema.get("required").and_then(Value::as_array);
            names.is_some_and(|names| names.iter().any(|known| known == name))
        };
        let mut params: Vec<_> = members
            .iter()
            .map(|(name, schema)| json!({"name": name, "required": required(name), "schema": schema}))
            .collect();
        params.sort_by_key(|param| param["required"] != true);
        params
    }

    /// Everything that was referred to.
    pub(super) fn definitions(mut self) -> Value {
        let mut all = self.read.take_definitions(true);
        for (name, schema) in self.written.take_definitions(true) {
            let other = all.insert(name.clone(), schema.clone());
            assert!(other.is_none_or(|other| other == schema), "two schemas are named `{name}`");
        }
        Value::Object(all)
    }
}

/// Takes out Rust's names of number types, which are not JSON Schema, defaults that only say "none", and rustdoc's
/// links.
fn tidy(schema: &mut Schema) {
    let of_rust = |format: &Value| {
        format.as_str().is_some_and(|format| {
            format.starts_with("uint") || format.starts_with("int") || format == "double"
        })
    };
    if schema.get("format").is_some_and(of_rust) {
        schema.remove("format");
    }
    if schema.get("default").is_some_and(Value::is_null) {
        schema.remove("default");
    }
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.replace("[`", "`").replace("`]", "`").replace('\n', " ");
    }
}
