//! `plex.find`, with its prose and its example.

use serde_json::json;

use super::Method;
use super::methods::{PLEX, errors, example, result, to_value};
use super::schemas::Schemas;
use crate::error::Code;
use crate::find::{FindParams, FindResult, FoundItem};
use crate::message::method;

pub(super) fn find(schemas: &mut Schemas) -> Method {
    let (held, other) = ("/media/Movies/Heat/Heat.mkv", "/elsewhere/Heat.mkv");
    let found = FindResult {
        items: vec![FoundItem {
            path: held.to_owned(),
            rating_key: "1001".to_owned(),
            r#type: "movie".to_owned(),
            title: "Heat".to_owned(),
            section: "1".to_owned(),
            file: held.to_owned(),
        }],
        missing: vec![other.to_owned()],
        unheld: vec![other.to_owned()],
        warning: None,
    };
    Method {
        name: method::PLEX_FIND,
        summary: "Finds the items that have a file.",
        description: "Plex's own filter is no exact match; here an item counts only if one of its parts has the file: \
            the same bytes, else the same after Unicode NFC, on Windows without letter case. Paths are as Plex sees \
            them, in Stash as Stash sees them. A section that fails is an error: its files are never `missing`.",
        param_structure: "by-name",
        params: schemas.params_of::<FindParams>(),
        result: result("found", schemas.of::<FindResult>()),
        errors: errors(&[&PLEX[..], &[Code::RefusedByPlex]].concat()),
        examples: vec![example("two files", json!({"paths": [held, other]}), to_value(&found))],
    }
}
