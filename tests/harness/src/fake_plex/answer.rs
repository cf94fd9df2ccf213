//! One request's way: remember it, register its device, find the answer, spoil it, hold it.

use std::io;
use std::sync::Arc;

use serde_json::Value;

use super::{Caller, Inner, State, media_server, observe, plex_response, plex_tv, xml};
use crate::http::{After, Request, Response, Wire};

/// Answers `request`, whatever it is.
pub(super) fn answer(inner: &Arc<Inner>, request: &Request) -> Response {
    if let Some(path) = request.path().strip_prefix("/__fake/") {
        return observe::answer(inner, request, path);
    }
    let mut state = inner.state();
    state.advance();
    state.requests.push(request.clone());
    let caller = state.tokens.caller(request);
    let (devices, scans) = (state.registry.events().len(), state.library.scans.len());
    state.registry.see(request, caller);
    let answer = match (&state.events, request.path(), caller) {
        (Some(events), "/:/eventsource/notifications", Caller::Owner | Caller::Shared) => {
            stream(Arc::clone(inner), events.len(), caller)
        }
        _ => find(&mut state, request, caller),
    };
    let answer = match state.plans.iter().position(|plan| plan.fits(request)) {
        Some(place) => {
            let fault = state.plans[place].take();
            state.plans.retain(|plan| !plan.is_used_up());
            fault.apply(answer)
        }
        None => answer,
    };
    state.report(request, &answer, devices, scans);
    let held = state.is_held(request);
    if held {
        state.held += 1;
    }
    drop(state);
    inner.changed.notify_all();
    if held { hold(Arc::clone(inner), answer) } else { answer }
}

fn find(state: &mut State, request: &Request, caller: Caller) -> Response {
    let canned = state.canned.iter().find(|(path, _)| path == request.path());
    if let Some((_, fault)) = canned {
        return fault.clone().apply(Response::new(200));
    }
    if plex_tv::owns(request.path()) {
        return plex_tv::answer(state, request, caller);
    }
    media_server::answer(state, request, caller)
}

/// Tells events as they come, from now on. Activities are the owner's to know.
fn stream(inner: Arc<Inner>, mut told: usize, caller: Caller) -> Response {
    let may_know =
        move |event: &String| caller == Caller::Owner || !event.starts_with("event: activity\n");
    Response::script(move |wire, _| {
        wire.send_head(
            200,
            &[("Content-Type", "text/event-stream"), ("Cache-Control", "no-cache")],
        )?;
        loop {
            let events = inner.state().events.clone();
            let Some(events) = events else { return Ok(After::Close) };
            for event in events.iter().skip(told).filter(|event| may_know(event)) {
                wire.send(event)?;
            }
            told = events.len();
            wire.pause_until(|| {
                let mut state = inner.state();
                state.advance();
                state.events.as_ref().is_none_or(|all| all.len() > told)
            })?;
        }
    })
}

impl State {
    fn is_held(&self, request: &Request) -> bool {
        self.held_prefix.as_deref().is_some_and(|prefix| request.target.starts_with(prefix))
    }
}

fn hold(inner: Arc<Inner>, answer: Response) -> Response {
    Response::script(move |wire, request| {
        let waited = wait_for_release(&inner, wire, request);
        inner.state().held -= 1;
        inner.changed.notify_all();
        waited.and_then(|()| answer.write(wire, request))
    })
}

fn wait_for_release(inner: &Inner, wire: &mut Wire<'_>, request: &Request) -> io::Result<()> {
    wire.pause_until(|| !inner.state().is_held(request))
}

/// A body in the form that the client accepts: JSON for exactly `application/json`, otherwise XML.
pub(super) fn negotiated(request: &Request, status: u16, body: &Value) -> Response {
    let response = plex_response(status);
    if request.header("accept") == Some("application/json") {
        return response.header("Content-Type", "application/json").body(body.to_string());
    }
    response.header("Content-Type", "text/xml;charset=utf-8").body(xml::document(body))
}

/// An error page of the media server.
pub(super) fn page(status: u16, title: &str) -> Response {
    let body = format!(
        "<html><head><title>{title}</title></head><body><h1>{status} {title}</h1></body></html>"
    );
    plex_response(status).header("Content-Type", "text/html").body(body)
}

/// 401: the media server closes the connection with it.
pub(super) fn unauthorized(path: &str) -> Response {
    let script = match path {
        "/" => {
            r"<script>window.location = window.location.href.match(/(^.+\/)[^\/]*$/)[1] + 'web/index.html';</script>"
        }
        _ => "",
    };
    let body = format!(
        "<html><head>{script}<title>Unauthorized</title></head><body><h1>401 Unauthorized</h1></body></html>"
    );
    let response = plex_response(401).replace("Connection", "close");
    Response { after: After::Close, ..response.header("Content-Type", "text/html").body(body) }
}
