//! The methods, with their prose and their examples.

use serde_json::{Value, json};

use super::schemas::Schemas;
use super::{Method, auth, device, find, server};
use crate::doctor::{Check, CheckState, DoctorParams, DoctorReport};
use crate::error::Code;
use crate::identity::{Identity, IdentityHeaders, Origin, ResetParams, ResetResult};
use crate::message::method;
use crate::pending::{PendingParams, PendingResult, PendingScan};
use crate::plex::{RequestParams, RequestResult, ScanParams, ScanResult, SectionScan};
use crate::stash::{PluginInput, PluginOutput};

const DEVICE: &str = "0b9c8f5e-3f0d-4b7a-9d52-6a1f6f0e4c11";
const OTHER_DEVICE: &str = "5d0a4f0c-52c6-4c88-8ad1-b1b0f6c6a7f2";

/// What every call can end with.
const ANY: [Code; 6] = [
    Code::ParseError,
    Code::InvalidRequest,
    Code::InvalidParams,
    Code::InternalError,
    Code::Overloaded,
    Code::Cancelled,
];
/// What a call to Plex can end with.
pub(super) const PLEX: [Code; 5] = [
    Code::IdentityUnavailable,
    Code::PlexUnreachable,
    Code::PlexTimeout,
    Code::AnswerTooLarge,
    Code::NotConfigured,
];

pub(super) fn all(schemas: &mut Schemas) -> Vec<Method> {
    vec![
        get(schemas),
        reset(schemas),
        request(schemas),
        scan(schemas),
        find::find(schemas),
        pending(schemas),
        auth::start(schemas),
        auth::finish(schemas),
        auth::status(schemas),
        auth::logout(schemas),
        server::list(schemas),
        server::choose(schemas),
        device::list(schemas),
        device::remove(schemas),
        doctor(schemas),
        discover(),
        run(schemas),
        stop(),
    ]
}

fn get(schemas: &mut Schemas) -> Method {
    Method {
        name: method::IDENTITY_GET,
        summary: "Returns the identity; creates one if there is none.",
        description: "The id is exactly the one on disk. It is loaded once and held for the whole life of the \
            worker; only identity.reset changes it. `headers` is for a host that makes its own requests.",
        param_structure: "by-name",
        params: vec![],
        result: result("identity", schemas.of::<Identity>()),
        errors: errors(&[Code::IdentityUnavailable]),
        examples: vec![example(
            "the identity",
            json!({}),
            to_value(&identity(DEVICE, Origin::Loaded)),
        )],
    }
}

fn reset(schemas: &mut Schemas) -> Method {
    let previous = Some(DEVICE.to_owned());
    let adopted = ResetResult::new(identity(OTHER_DEVICE, Origin::Adopted), previous.clone());
    let made = ResetResult::new(identity(OTHER_DEVICE, Origin::Reset), previous);
    Method {
        name: method::IDENTITY_RESET,
        summary: "Replaces the identity with a new or a given one.",
        description: "Plex will see a new device. The new id is on disk before the reply is written.",
        param_structure: "by-name",
        params: schemas.params_of::<ResetParams>(),
        result: result("identity", schemas.of::<ResetResult>()),
        errors: errors(&[Code::IdentityUnavailable, Code::IdentityChanged]),
        examples: vec![
            example("a new one", json!({}), to_value(&made)),
            example("a given one", json!({"device_id": OTHER_DEVICE}), to_value(&adopted)),
        ],
    }
}

fn request(schemas: &mut Schemas) -> Method {
    let body = json!({"MediaContainer": {"size": 0, "claimed": true, "machineIdentifier": "8ad1"}});
    Method {
        name: method::PLEX_REQUEST,
        summary: "Sends one request to Plex, always as the same device.",
        description: "Any HTTP response is a result, 401 and 503 too. The identity headers are on every hop of a \
            redirect; the token is sent to its own server only.",
        param_structure: "by-name",
        params: schemas.params_of::<RequestParams>(),
        result: result("answer", schemas.of::<RequestResult>()),
        errors: errors(&PLEX),
        examples: vec![
            example(
                "the server's identity",
                json!({"path": "/identity"}),
                answer("/identity", &body),
            ),
            example(
                "a page of a listing",
                json!({"path": "/library/sections/1/all", "query": {"type": 1, "unwatched": true}}),
                answer(
                    "/library/sections/1/all?type=1&unwatched=1",
                    &json!({"MediaContainer": {"size": 0}}),
                ),
            ),
        ],
    }
}

fn answer(target: &str, body: &Value) -> Value {
    json!({
        "status": 200, "ok": true, "headers": {"content-type": "application/json"},
        "body": body, "body_encoding": "json", "url": format!("http://127.0.0.1:32400{target}"),
        "attempts": 1, "elapsed_ms": 12,
    })
}

fn scan(schemas: &mut Schemas) -> Method {
    let scan = |section: &str| SectionScan {
        section: section.to_owned(),
        folder: "/media/Movies/Heat".to_owned(),
        status: 200,
    };
    let one = ScanResult::asked(vec![scan("1")]);
    let both = ScanResult::asked(vec![scan("2"), scan("1")]);
    Method {
        name: method::PLEX_SCAN,
        summary: "Asks Plex to look at one folder.",
        description: "Give `path` (a file: its folder is meant) or `folder`, as Plex sees them; in Stash as Stash sees \
            them. Every library section that holds the folder is asked, for the folder in the spelling of its own \
            location. All are asked before an error is returned. In a Stash hook both may be left out: the scene's \
            folders are meant; a Stash task without them asks for all sections.",
        param_structure: "by-name",
        params: schemas.params_of::<ScanParams>(),
        result: result("scan", schemas.of::<ScanResult>()),
        errors: errors(&[&PLEX[..], &[Code::RefusedByPlex]].concat()),
        examples: vec![
            example("a folder", json!({"folder": "/media/Movies/Heat"}), to_value(&one)),
            example(
                "the folder of a file that two sections hold",
                json!({"path": "/media/Movies/Heat/Heat.mkv"}),
                to_value(&both),
            ),
        ],
    }
}

fn pending(schemas: &mut Schemas) -> Method {
    let reason = "Plex was away: connection refused";
    let one = PendingScan::of_folder("/media/Movies/Heat", "2026-11-28T16:20:00Z", reason);
    Method {
        name: method::SCAN_PENDING,
        summary: "Tells what waits until Plex can be asked to scan it.",
        description: "In Stash a scan that Plex can't take now waits; every later call sends it. `send` sends all now: \
            the first error is the call's.",
        param_structure: "by-name",
        params: schemas.params_of::<PendingParams>(),
        result: result("pending", schemas.of::<PendingResult>()),
        errors: errors(&[&PLEX[..], &[Code::RefusedByPlex]].concat()),
        examples: vec![
            example("what waits", json!({}), to_value(&PendingResult::new(vec![one]))),
            example("forget it", json!({"forget": true}), to_value(&PendingResult::default())),
        ],
    }
}

fn doctor(schemas: &mut Schemas) -> Method {
    let report = DoctorReport::new(vec![
        Check::new("plex_server", CheckState::Ok, "Plex 1.41.0 answers, machine `8ad1`"),
        Check::new("plex_token", CheckState::Failure, "the token is not accepted (status `401`)")
            .with_hint("take a token of this server's owner"),
    ]);
    Method {
        name: method::DOCTOR_RUN,
        summary: "Checks data folder, identity, configuration and the connection to Plex.",
        description: "What `plexsync-worker doctor` prints, for hosts without a shell. Shows no secret. If there is \
            no identity yet, the folder can be written and a server is configured, one is created, and a check reports it.",
        param_structure: "by-name",
        params: schemas.params_of::<DoctorParams>(),
        result: result("report", schemas.of::<DoctorReport>()),
        errors: errors(&[]),
        examples: vec![example("a wrong token", json!({"create": false}), to_value(&report))],
    }
}

fn discover() -> Method {
    let schema = json!({"type": "object", "required": ["openrpc", "info", "methods"]});
    let shortened = json!({"openrpc": "1.3.2", "info": {"title": "plexsync-worker", "version": "2.0"}, "methods": []});
    Method {
        name: method::RPC_DISCOVER,
        summary: "This document.",
        description: "The name is OpenRPC's. The example is shortened.",
        param_structure: "by-name",
        params: vec![],
        result: result("document", schema),
        errors: errors(&[]),
        examples: vec![example("the document", json!({}), shortened)],
    }
}

fn run(schemas: &mut Schemas) -> Method {
    let input = json!({
        "server_connection": {
            "Scheme": "http", "Host": "127.0.0.1", "Port": 9999, "SessionCookie": null,
            "Dir": "/root/.stash", "PluginDir": "/root/.stash/plugins/plexsync",
        },
        "args": {"method": method::IDENTITY_GET},
    });
    let output = json!({"error": null, "output": identity(DEVICE, Origin::Loaded)});
    Method {
        name: method::STASH_RUN,
        summary: "Stash's call of a plugin with `interface: rpc`.",
        description: "`args.method` names one of the other methods, `args.params` holds its params: an object, or a \
            string that holds one. Other members of `args` are Stash's. A failure is a string in the result's \
            `error`, never an RPC error, because Stash takes every RPC error for success.",
        param_structure: "by-name",
        params: schemas.params_of::<PluginInput>(),
        result: result("output", schemas.of::<PluginOutput>()),
        errors: errors(&[]),
        examples: vec![example("identity.get", input, output)],
    }
}

fn stop() -> Method {
    Method {
        name: method::STASH_STOP,
        summary: "Stash asks the running task to stop.",
        description: "Answered at once. The running call is cancelled: its RPCRunner.Run is answered with an error \
            in the output.",
        param_structure: "by-name",
        params: vec![],
        result: result("accepted", json!({"const": true})),
        errors: errors(&[]),
        examples: vec![example("stop", json!({}), json!(true))],
    }
}

fn identity(device_id: &str, origin: Origin) -> Identity {
    let mut headers = IdentityHeaders::new(device_id, "2.0.0");
    // The document must not depend on the system that it is made on.
    "Linux".clone_into(&mut headers.device);
    let path = "/home/me/.local/share/plexsync/device_id.json";
    Identity::new(device_id.to_owned(), origin, path.to_owned(), headers, None)
}

pub(super) fn to_value(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

pub(super) fn result(name: &str, schema: Value) -> Value {
    json!({"name": name, "schema": schema})
}

pub(super) fn errors(own: &[Code]) -> Vec<Value> {
    let code = |code: &Code| json!({"$ref": format!("#/components/errors/{code:?}")});
    ANY.iter().chain(own).map(code).collect()
}

/// An Example Pairing Object.
pub(super) fn example(name: &str, params: Value, value: Value) -> Value {
    let params: Vec<_> = params
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect();
    json!({"name": name, "params": params, "result": {"name": "result", "value": value}})
}
