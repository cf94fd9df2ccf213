//! The Plex Media Server's endpoints.

use serde_json::{Value, json};

use super::answer::{negotiated, page, unauthorized};
use super::devices::SERVER_NAME;
use super::{Caller, State, plex_response};
use crate::http::{Request, Response};

/// The server's identifier, unless a test says otherwise.
pub(super) const MACHINE: &str = "3f2a9d4c7b1e4a608d5f0c2b9e7a6d1835f4c0aa";
/// Start of a JPEG file.
pub(super) const JPEG: &[u8] =
    b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9";

/// Answers one request as the media server does.
pub(super) fn answer(state: &mut State, request: &Request, caller: Caller) -> Response {
    let parts: Vec<&str> = request.path().split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        // Open to everybody, as the official description says (`security: [{}]`).
        ["identity"] => return container(request, identity(state)),
        ["web"] => return to_the_web_app(),
        _ if caller == Caller::Nobody => return unauthorized(request.path()),
        _ => {}
    }
    match parts.as_slice() {
        [] => container(request, server(state)),
        ["media", "providers"] => container(request, providers()),
        ["library"] => container(request, library()),
        ["library", "sections", rest @ ..] => state.library.answer(request, rest),
        ["library", "metadata", key, rest @ ..] => state.library.of_item(request, key, rest),
        [":", "prefs"] => prefs(state, request),
        [":", what @ ("scrobble" | "unscrobble" | "rate")] => state.library.mark(request, what),
        ["activities"] if caller == Caller::Shared => page(403, "Forbidden"),
        ["activities"] => container(request, state.library.activities()),
        ["status", "sessions"] | ["accounts"] | ["devices"] if caller == Caller::Shared => {
            page(403, "Forbidden")
        }
        ["status", "sessions"] => container(request, json!({"size": 0})),
        ["accounts"] => {
            container(request, json!({"size": 1, "Account": [{"id": 1, "name": "owner"}]}))
        }
        ["devices"] => container(request, devices(state)),
        ["photo", ":", "transcode"] => {
            plex_response(200).header("Content-Type", "image/jpeg").body(JPEG)
        }
        ["resources"] => player(),
        _ => page(404, "Not Found"),
    }
}

pub(super) fn container(request: &Request, container: Value) -> Response {
    negotiated(request, 200, &json!({"MediaContainer": container}))
}

fn identity(state: &State) -> Value {
    json!({"size": 0, "apiVersion": "1.2.2", "claimed": true, "machineIdentifier": state.machine, "version": "1.41.7.9823-59f304c16"})
}

fn server(state: &State) -> Value {
    json!({
        "size": 2, "allowSync": true, "friendlyName": SERVER_NAME, "machineIdentifier": state.machine, "myPlex": true,
        "platform": "Linux", "version": "1.41.7.9823-59f304c16", "updatedAt": 1_700_000_000,
        "Directory": [{"count": 1, "key": "library", "title": "library"}, {"count": state.requests.len(), "key": "status", "title": "status"}],
    })
}

/// What python-plexapi reads before it lists the sections.
fn library() -> Value {
    let directory = json!([{"key": "sections", "title": "Library Sections"}]);
    json!({"size": 1, "allowSync": false, "content": "", "identifier": "com.plexapp.plugins.library",
        "title1": "Plex Library", "title2": "", "Directory": directory})
}

fn providers() -> Value {
    let feature = json!([{"key": "/library/sections", "type": "content"}]);
    json!({"size": 1, "friendlyName": SERVER_NAME, "MediaProvider": [
        {"identifier": "com.plexapp.plugins.library", "protocols": "stream,download", "title": "Library", "Feature": feature}]})
}

/// The web app lives under whatever name the owner gave the server: another host than the one asked.
fn to_the_web_app() -> Response {
    plex_response(301).header("Location", "http://home.example:32400/web/index.html")
}

/// Read too soon after a change, the preferences are refused once.
fn prefs(state: &mut State, request: &Request) -> Response {
    if request.method == "PUT" {
        state.prefs_were_put = true;
        return plex_response(200);
    }
    if std::mem::take(&mut state.prefs_were_put) {
        return page(400, "Bad Request");
    }
    let setting = json!([{"id": "FriendlyName", "type": "text", "value": SERVER_NAME, "default": "", "hidden": false}]);
    container(request, json!({"size": 1, "Setting": setting}))
}

fn devices(state: &State) -> Value {
    let devices = state.registry.devices();
    let rows: Vec<_> = devices
        .iter()
        .map(|device| {
            json!({"id": device.number, "name": device.name, "platform": device.platform,
                "clientIdentifier": device.identifier, "createdAt": 1_700_000_000})
        })
        .collect();
    json!({"size": rows.len(), "identifier": "com.plexapp.system.devices", "Device": rows})
}

/// A player's own `/resources`: XML whatever is accepted, and without a content type (plex-media-player issue 51).
fn player() -> Response {
    plex_response(200).body(include_str!("../../fixtures/plex/clients.xml"))
}
