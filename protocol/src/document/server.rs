//! `server.*`, with their prose and their examples.

use serde_json::json;

use super::Method;
use super::methods::{PLEX, errors, example, result, to_value};
use super::schemas::Schemas;
use crate::error::Code;
use crate::message::method;
use crate::server::{ChooseParams, ChooseResult, Connection, ListParams, ListResult, Server};

const URI: &str = "https://192-168-1-10.0123456789abcdef0123456789abcdef.plex.direct:32400";

fn attic(connections: Vec<Connection>) -> Server {
    Server {
        name: "Attic".to_owned(),
        machine_identifier: "8ad1".to_owned(),
        owned: true,
        version: Some("1.41.7.9823-59f304c16".to_owned()),
        online: true,
        in_use: true,
        chosen: false,
        connections,
    }
}

pub(super) fn list(schemas: &mut Schemas) -> Method {
    let plain = || Connection::new(URI, true, false);
    let tried = Connection { reachable: Some(true), elapsed_ms: Some(12), ..plain() };
    let dead = Connection {
        reachable: Some(false),
        elapsed_ms: Some(3000),
        problem: Some("`203.0.113.7:32400` did not accept a connection in time".to_owned()),
        ..Connection::new(
            "https://203-0-113-7.0123456789abcdef0123456789abcdef.plex.direct:32400",
            false,
            false,
        )
    };
    Method {
        name: method::SERVER_LIST,
        summary: "Lists the account's servers and their connections.",
        description: "With `probe` every connection is tried, without a token. Ends the pause that follows a search in \
            vain.",
        param_structure: "by-name",
        params: schemas.params_of::<ListParams>(),
        result: result("servers", schemas.of::<ListResult>()),
        errors: errors(&[&PLEX[..], &[Code::RefusedByPlex]].concat()),
        examples: vec![
            example(
                "what plex.tv knows",
                json!({}),
                to_value(&ListResult::new(vec![attic(vec![plain()])])),
            ),
            example(
                "what can be reached",
                json!({"probe": true}),
                to_value(&ListResult::new(vec![attic(vec![tried, dead])])),
            ),
        ],
    }
}

pub(super) fn choose(schemas: &mut Schemas) -> Method {
    let connections = vec![Connection::new(URI, true, false)];
    let chosen = Server { chosen: true, ..attic(connections) };
    Method {
        name: method::SERVER_CHOOSE,
        summary: "Chooses the server that calls go to which name none.",
        description: "Its way is found first: a server that can't be reached is not chosen. A configured URL or server is \
            stronger than the choice.",
        param_structure: "by-name",
        params: schemas.params_of::<ChooseParams>(),
        result: result("server", schemas.of::<ChooseResult>()),
        errors: errors(&[&PLEX[..], &[Code::RefusedByPlex]].concat()),
        examples: vec![example(
            "by name",
            json!({"server": "attic"}),
            to_value(&ChooseResult::new(chosen, URI.to_owned(), None)),
        )],
    }
}
