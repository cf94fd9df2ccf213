//! One request's way: remember it, find the answer, spoil it, hold it.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Inner, State, Token};
use crate::http::{Request, Response};

pub(super) const CITY: &str = "Canaryton-on-Sea";
pub(super) const POSTCODE: &str = "CN4 9RY";
const EMAIL: &str = "canary@private.example";
const HASH: &str = "$2a$10$canarycanarycanary";
const LINKED: &str = "linked-service-canary-token";
/// What no one may show, whoever asks.
pub(super) const PRIVATE: [&str; 5] = [CITY, POSTCODE, EMAIL, HASH, LINKED];

/// Answers `request`, whatever it is.
pub(super) fn answer(inner: &Arc<Inner>, request: &Request) -> Response {
    let mut state = inner.state();
    state.requests.push(request.clone());
    let answer = find(&mut state, request);
    let answer = match state.plans.iter().position(|plan| plan.fits(request)) {
        Some(place) => {
            let fault = state.plans[place].take();
            state.plans.retain(|plan| !plan.is_used_up());
            fault.apply(answer)
        }
        None => answer,
    };
    state.watcher.request("plex.tv", request, &answer);
    let held = state.is_held(request);
    if held {
        state.held += 1;
    }
    drop(state);
    inner.changed.notify_all();
    if held { hold(Arc::clone(inner), answer) } else { answer }
}

fn hold(inner: Arc<Inner>, answer: Response) -> Response {
    Response::script(move |wire, request| {
        let waited = wire.pause_until(|| !inner.state().is_held(request));
        inner.state().held -= 1;
        inner.changed.notify_all();
        waited.and_then(|()| answer.write(wire, request))
    })
}

impl State {
    fn is_held(&self, request: &Request) -> bool {
        self.held_prefix.as_deref().is_some_and(|prefix| request.target.starts_with(prefix))
    }

    fn caller(&self, request: &Request) -> Option<Token> {
        let token = request.header("X-Plex-Token")?;
        self.tokens.iter().find(|known| known.value == token).cloned()
    }
}

fn find(state: &mut State, request: &Request) -> Response {
    let parts: Vec<&str> = request.path().split('/').filter(|part| !part.is_empty()).collect();
    let identifier = request.header("X-Plex-Client-Identifier").filter(|it| !it.is_empty());
    let Some(identifier) = identifier.map(str::to_owned) else {
        return error(request, 400, 1000, "X-Plex-Client-Identifier is missing");
    };
    match (request.method.as_str(), parts.as_slice()) {
        ("GET", ["api", "v2", "ping"]) => return told(request, 200, &json!({"pong": true})),
        ("POST", ["api", "v2", "pins"]) => return state.new_pin(request, identifier),
        ("GET", ["api", "v2", "pins", number]) => return state.pin(request, number, &identifier),
        _ => {}
    }
    let Some(caller) = state.caller(request) else {
        return error(request, 401, 1001, "User could not be authenticated");
    };
    match (request.method.as_str(), parts.as_slice()) {
        ("GET", ["api", "v2", "user"]) => told(request, 200, &user(state, &caller)),
        ("GET", ["api", "v2", "resources"]) => {
            let resources: Vec<_> = state.resources.iter().map(|it| it.told()).collect();
            told(request, 200, &json!(resources))
        }
        ("DELETE", ["api", "v2", "users", "signout"]) => {
            state.tokens.retain(|token| *token != caller);
            Response::new(204)
        }
        ("GET", ["devices.xml"]) => state.devices(),
        ("DELETE", ["devices", file]) => {
            match file.strip_suffix(".xml").is_some_and(|id| state.delete_device(id)) {
                true => Response::new(200),
                false => error(request, 404, 1002, "Not found"),
            }
        }
        _ => error(request, 404, 1002, "Not found"),
    }
}

/// An account as plex.tv describes it, with all that is nobody else's business.
fn user(state: &State, caller: &Token) -> Value {
    let name = &caller.account;
    let mut user = json!({
        "id": 1000 + name.len(), "uuid": "0123456789abcdef", "username": name, "title": name, "email": EMAIL,
        "friendlyName": "", "confirmed": true, "hasPassword": true, "protected": false, "authToken": caller.value,
        "country": "GB", "pin": HASH, "home": true, "guest": false, "restricted": false,
        "subscription": {"active": false, "status": "Inactive", "plan": null},
        "services": [{"identifier": "metadata", "token": LINKED, "secret": LINKED}],
    });
    for (_, members) in state.users.iter().filter(|(account, _)| account == name) {
        for (member, value) in members.as_object().into_iter().flatten() {
            user[member] = value.clone();
        }
    }
    user
}

/// plex.tv gives JSON for exactly `application/json`, and XML otherwise.
pub(super) fn told(request: &Request, status: u16, body: &Value) -> Response {
    match request.header("accept") {
        Some("application/json") => {
            Response::text(status, "application/json; charset=utf-8", body.to_string())
        }
        _ => Response::text(status, "application/xml; charset=utf-8", "<xml/>"),
    }
}

pub(super) fn error(request: &Request, status: u16, code: u16, message: &str) -> Response {
    told(
        request,
        status,
        &json!({"errors": [{"code": code, "message": message, "status": status}]}),
    )
}
