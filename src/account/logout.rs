//! `auth.logout`: tells plex.tv, then forgets everything.

use hyper::Method;
use plexsync_protocol::identity::IdentityHeaders;
use plexsync_protocol::sign_in::LogoutResult;

use super::error::own_errors;
use super::files::AccountFile;
use super::{AccountError, Ask, PlexTv, Reply, Store, Time, on_disk};

/// Signs out. plex.tv is told under the device id, and at the URL, that the token was made for; whatever it answers, the
/// account's files are removed. A device's id and `plex_tv` may be missing: then there is nobody to tell.
///
/// # Errors
/// [`AccountError::File`] if a file can't be removed.
pub async fn logout(
    store: Store,
    plex_tv: Option<PlexTv>,
    version: &'static str,
    time: Time,
) -> Result<LogoutResult, AccountError> {
    let reading = store.clone();
    // One that can't be read can be removed.
    let stored = on_disk(move || reading.account()).await.ok().flatten();
    let revoked = match stored.zip(plex_tv) {
        Some((stored, plex_tv)) => tell(&stored, &plex_tv, version, time).await,
        None => false,
    };
    on_disk(move || store.remove_all()).await?;
    Ok(LogoutResult::new(revoked))
}

/// Whether plex.tv does not take the token any more.
async fn tell(stored: &AccountFile, plex_tv: &PlexTv, version: &str, time: Time) -> bool {
    let Ok(plex_tv) = plex_tv.at(&stored.plex_tv) else { return false };
    let device = IdentityHeaders::new(&stored.device_id, version);
    let ask = Ask::get("/api/v2/users/signout", Some(&stored.token));
    let ask = Ask { method: Method::DELETE, ..ask };
    plex_tv.send(&device, &ask, time).await.is_ok_and(|reply| has_ended(&reply))
}

/// Whether plex.tv says so itself. To a sign-out it answers with nothing at all; the page of a portal is something.
fn has_ended(reply: &Reply) -> bool {
    match reply.is_success() {
        true => reply.body.is_empty(),
        false => reply.status == 401 && own_errors(reply).is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plex_tv_itself_ends_a_token() {
        let own = r#"{"errors":[{"code":1001,"message":"User could not be authenticated"}]}"#;
        for (status, body, ended) in [
            (200, "", true),
            (204, "", true),
            (200, "<html>", false),
            (401, own, true),
            (401, "<html>", false),
            (403, own, false),
            (500, "", false),
        ] {
            let reply = Reply { status, body: body.into(), server: String::new() };
            assert_eq!(has_ended(&reply), ended, "{reply:?}");
        }
    }
}
