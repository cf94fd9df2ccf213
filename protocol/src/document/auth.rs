//! `auth.*`, with their prose and their examples.

use serde_json::json;

use super::Method;
use super::methods::{PLEX, errors, example, result, to_value};
use super::schemas::Schemas;
use crate::error::Code;
use crate::message::method;
use crate::sign_in::{
    Account, FinishParams, FinishResult, LogoutParams, LogoutResult, ServerInUse, SignInCode,
    SignedIn, StartParams, StartResult, StatusParams, StatusResult, TokenState, VERIFICATION_URI,
    Waiting,
};

const EXPIRES_AT: &str = "2026-11-28T16:15:00Z";

fn account() -> Account {
    Account { id: 1234, username: "ann".to_owned(), title: "Ann".to_owned() }
}

pub(super) fn start(schemas: &mut Schemas) -> Method {
    let code = StartResult::Code(SignInCode {
        user_code: "K7QX".to_owned(),
        verification_uri: VERIFICATION_URI.to_owned(),
        verification_uri_complete: format!("{VERIFICATION_URI}/?pin=K7QX"),
        expires_in: 900,
        expires_at: EXPIRES_AT.to_owned(),
        pending: false,
    });
    let signed_in = StartResult::SignedIn(SignedIn::new(account(), None, None));
    Method {
        name: method::AUTH_START,
        summary: "Begins a sign-in to plex.tv: returns a code that the user enters on plex.tv/link.",
        description: "The code is on disk before it is returned: auth.finish may be called by any later process. A code \
            that still waits is returned again (`pending`); processes that call this together get one code. Signed in \
            already: the account, unless `renew` is true. A completed sign-in ends the token of the one before.",
        param_structure: "by-name",
        params: schemas.params_of::<StartParams>(),
        result: result("start", schemas.of::<StartResult>()),
        errors: errors(&[&PLEX[..], &[Code::RefusedByPlex]].concat()),
        examples: vec![
            example("a code", json!({}), to_value(&code)),
            example("signed in already", json!({}), to_value(&signed_in)),
        ],
    }
}

pub(super) fn finish(schemas: &mut Schemas) -> Method {
    let servers = Some(vec!["Attic".to_owned()]);
    let signed_in = FinishResult::SignedIn(SignedIn::new(account(), servers, None));
    let waiting = FinishResult::Waiting(Waiting::new(EXPIRES_AT.to_owned()));
    Method {
        name: method::AUTH_FINISH,
        summary: "Waits until the code was entered, and stores the sign-in.",
        description: "A code that was not entered when the time is over is no error: call this again. The token is stored \
            in the data folder and never returned. Can be called again afterwards, with the same result.",
        param_structure: "by-name",
        params: schemas.params_of::<FinishParams>(),
        result: result("finish", schemas.of::<FinishResult>()),
        errors: errors(&[&PLEX[..], &[Code::RefusedByPlex, Code::SignInIncomplete]].concat()),
        examples: vec![
            example("signed in", json!({"timeout_ms": 900_000}), to_value(&signed_in)),
            example("not yet", json!({"timeout_ms": 1000}), to_value(&waiting)),
        ],
    }
}

pub(super) fn status(schemas: &mut Schemas) -> Method {
    let mut status = StatusResult::new(TokenState::Valid);
    status.account = Some(account());
    status.signed_in_at = Some("2026-11-28T16:03:20Z".to_owned());
    status.server = Some(ServerInUse {
        name: "Attic".to_owned(),
        machine_identifier: "8ad1".to_owned(),
        uri: "http://192.168.1.10:32400".to_owned(),
    });
    Method {
        name: method::AUTH_STATUS,
        summary: "Tells whether this device is signed in, and whether plex.tv still takes its token.",
        description: "Nothing is thrown away, whatever plex.tv says. `other_device`: the sign-in was made for another \
            device id, or at another plex.tv, and is not used.",
        param_structure: "by-name",
        params: schemas.params_of::<StatusParams>(),
        result: result("status", schemas.of::<StatusResult>()),
        errors: errors(&PLEX),
        examples: vec![
            example("signed in", json!({}), to_value(&status)),
            example(
                "not signed in",
                json!({"check": false}),
                to_value(&StatusResult::new(TokenState::None)),
            ),
        ],
    }
}

pub(super) fn logout(schemas: &mut Schemas) -> Method {
    Method {
        name: method::AUTH_LOGOUT,
        summary: "Signs out: ends the token at plex.tv and forgets it here.",
        description: "What is stored is removed in any case; `revoked` tells whether plex.tv has ended the token.",
        param_structure: "by-name",
        params: schemas.params_of::<LogoutParams>(),
        result: result("logout", schemas.of::<LogoutResult>()),
        errors: errors(&[Code::NotConfigured]),
        examples: vec![example("signed out", json!({}), to_value(&LogoutResult::new(true)))],
    }
}
