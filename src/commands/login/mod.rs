//! `login` and `logout`: a person signs in to plex.tv with a code, and out again.

mod letters;
mod show;

use std::io;
use std::time::{Duration, Instant};

use plexsync_protocol::error::{Code, ErrorObject};
use plexsync_protocol::message::method;
use plexsync_protocol::sign_in::{
    FinishParams, FinishResult, LogoutResult, MAX_FINISH_TIMEOUT_MS, SignInCode, SignedIn,
    StartParams, StartResult,
};
use serde_json::value::to_raw_value;

use super::{End, Setting, Streams, read};
use crate::json_text::JsonText;

/// How often the countdown moves.
const TICK: Duration = Duration::from_secs(1);

/// Shows a code, and waits until it was entered or has expired.
pub(super) fn login(
    setting: &Setting<'_>,
    streams: &mut Streams<'_>,
    renew: bool,
    json: bool,
) -> io::Result<End> {
    // Made now if there is none, so that the first line names it.
    let identity = setting.call(method::IDENTITY_GET, None);
    if identity.is_err() {
        return streams.show(identity);
    }
    writeln!(streams.errors, "{}", setting.whose())?;
    let begun = setting.ask(method::AUTH_START, &StartParams { renew, timeout_ms: None });
    let (text, begun) = match begun {
        Ok(begun) => begun,
        Err(error) => return streams.show(Err(error)),
    };
    if json {
        line(streams, &text)?;
    }
    let code = match begun {
        StartResult::Code(code) => code,
        StartResult::SignedIn(signed_in) if !json => return welcome(streams, &signed_in),
        _ => return Ok(End::Fine),
    };
    if !json {
        streams.output.write_all(show::code(&code, streams.width, streams.colour).as_bytes())?;
    }
    match wait(setting, streams, &code, json)? {
        Ok((text, _)) if json => line(streams, &text).map(|()| End::Fine),
        Ok((_, signed_in)) => welcome(streams, &signed_in),
        Err(error) if error.code == Code::SignInIncomplete.number() && !json => {
            let what = error.message.split(';').next().unwrap_or_default();
            writeln!(streams.errors, "error: {what}; run `plexsync-worker login` again")?;
            Ok(End::Failed)
        }
        Err(error) => streams.show(Err(error)),
    }
}

/// Forgets the sign-in, here and at plex.tv.
pub(super) fn logout(
    setting: &Setting<'_>,
    streams: &mut Streams<'_>,
    json: bool,
) -> io::Result<End> {
    writeln!(streams.errors, "{}", setting.whose())?;
    match setting.ask::<LogoutResult>(method::AUTH_LOGOUT, &()) {
        Ok((text, _)) if json => line(streams, &text)?,
        Ok((_, LogoutResult { revoked: true, .. })) => writeln!(streams.output, "Signed out.")?,
        Ok(_) => writeln!(
            streams.output,
            "Signed out here. plex.tv was not told, or did not answer: Settings > Authorized Devices on app.plex.tv shows \
             whether the device is still there."
        )?,
        Err(error) => return streams.show(Err(error)),
    }
    Ok(End::Fine)
}

type Waited = Result<(JsonText, SignedIn), ErrorObject>;

/// Ctrl-C ends the process, and the code stays valid.
fn wait(
    setting: &Setting<'_>,
    streams: &mut Streams<'_>,
    code: &SignInCode,
    json: bool,
) -> io::Result<Waited> {
    let end = Instant::now() + Duration::from_secs(code.expires_in);
    let params = FinishParams { timeout_ms: Some(MAX_FINISH_TIMEOUT_MS), progress_token: None };
    let is_shown = streams.width.is_some() && !json;
    let outcome = loop {
        let mut broken = Ok(());
        let params = to_raw_value(&params).ok();
        let outcome = setting.call_and_tick(method::AUTH_FINISH, params, TICK, || {
            if is_shown && broken.is_ok() {
                let left = end.saturating_duration_since(Instant::now());
                let line = show::countdown(&code.user_code, left);
                broken = streams.output.write_all(line.as_bytes());
            }
        });
        broken?;
        match outcome.and_then(read::<FinishResult>) {
            Ok((text, FinishResult::SignedIn(signed_in))) => break Ok((text, signed_in)),
            Ok(_) => {}
            Err(error) => break Err(error),
        }
    };
    if is_shown {
        streams.output.write_all(show::NO_COUNTDOWN.as_bytes())?;
    }
    Ok(outcome)
}

fn welcome(streams: &mut Streams<'_>, signed_in: &SignedIn) -> io::Result<End> {
    let SignedIn { account, servers, warning, .. } = signed_in;
    let name = if account.title.is_empty() { &account.username } else { &account.title };
    writeln!(streams.output, "Signed in as {name}.")?;
    if let Some(servers) = servers.as_ref().filter(|servers| !servers.is_empty()) {
        writeln!(streams.output, "Servers: {}.", servers.join(", "))?;
    }
    if let Some(warning) = warning {
        writeln!(streams.errors, "warning: {warning}")?;
    }
    Ok(End::Fine)
}

pub(super) fn line(streams: &mut Streams<'_>, text: &JsonText) -> io::Result<()> {
    text.pieces().try_for_each(|piece| streams.output.write_all(piece))?;
    writeln!(streams.output)
}
