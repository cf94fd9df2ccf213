//! `auth.status`: what is stored, and whether plex.tv still takes it.

use plexsync_protocol::sign_in::{Account, ServerInUse, StatusResult, TokenState};
use time::format_description::well_known::Rfc3339;

use super::files::{AccountFile, ServerFile};
use super::{AccountError, Ask, Caller, answers};
use crate::secret::Secrets;

impl Caller {
    /// What is stored, and with `check` what plex.tv says of it. Nothing is thrown away.
    ///
    /// # Errors
    /// [`AccountError::File`] if what is stored can't be read.
    pub async fn status(self, check: bool) -> Result<StatusResult, AccountError> {
        let stored = self.on_disk(|caller| caller.store.account()).await?;
        let Some(stored) = stored else { return Ok(StatusResult::new(TokenState::None)) };
        let (state, told) = match self.own(stored.clone()) {
            Err(_) => (TokenState::OtherDevice, None),
            Ok(_) if !check => (TokenState::Unknown, None),
            Ok(own) => self.check(&own).await,
        };
        let servers = self.on_disk(|caller| caller.store.servers()).await;
        let mut status = StatusResult::new(state);
        status.account = told.or(stored.account);
        status.signed_in_at = stored.signed_in_at.format(&Rfc3339).ok();
        if servers.device_id == self.identity.device_id {
            status.server = in_use(&servers, &self.secrets);
        }
        Ok(status)
    }

    /// 200 is good, 401 bad; anything else says nothing of the token.
    async fn check(&self, stored: &AccountFile) -> (TokenState, Option<Account>) {
        match self.send(&Ask::get("/api/v2/user", Some(&stored.token))).await {
            Ok(reply) if reply.status == 401 => (TokenState::Invalid, None),
            Ok(reply) if reply.status == 200 => match answers::account(&reply, &self.secrets) {
                Some(account) => (TokenState::Valid, Some(account)),
                None => (TokenState::Unknown, None),
            },
            Ok(_) | Err(_) => (TokenState::Unknown, None),
        }
    }
}

/// The server that the user chose, else the only one.
fn in_use(servers: &ServerFile, secrets: &Secrets) -> Option<ServerInUse> {
    let identifier = servers.chosen.as_ref().or(servers.automatic.as_ref())?;
    let server = servers.servers.get(identifier)?;
    Some(ServerInUse {
        name: answers::shown(&server.name, secrets),
        machine_identifier: identifier.clone(),
        uri: server.uri.clone()?,
    })
}
