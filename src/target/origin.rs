//! The one precedence of server and token: the call, flags and environment, Stash's settings, the account.

use super::{Chosen, Given};
use crate::account::server::{Which, looks_like_host_and_port};

/// What a call says of its server and its token.
#[derive(Debug, Clone, Copy, Default)]
pub struct Call<'a> {
    /// A base URL, or the name or identifier of one of the account's servers.
    pub server: Option<&'a str>,
    /// A token; empty to send none.
    pub token: Option<&'a str>,
}

impl<'a> Call<'a> {
    /// The account's server that the call names.
    pub fn named(self) -> Option<&'a str> {
        let is_name = |server: &&str| !server.contains("://") && !server.trim().is_empty();
        self.server.filter(is_name)
    }
}

/// Who says where a call goes, and with which token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The call, a flag, the environment or a setting; or nobody.
    Given,
    /// The account: one of its servers, with its token unless there is another one for it.
    Account(Which),
    /// A configured URL, which has no token of its own: the account's token, if the URL is one of its servers.
    Lent(String),
}

/// First the call's server, then a configured URL, then the account's server; its token likewise.
pub fn origin(call: Call<'_>, chosen: &Chosen, signed_in: bool) -> Origin {
    if let Some(name) = call.named() {
        // Nobody who is not signed in means a name by that.
        let is_address = !signed_in && looks_like_host_and_port(name);
        return if is_address {
            Origin::Given
        } else {
            Origin::Account(Which::OfCall(name.to_owned()))
        };
    }
    match &chosen.url {
        _ if call.server.is_some() || !signed_in => Origin::Given,
        Some(url) if call.token.is_none() && chosen.token.is_none() => {
            Origin::Lent(url.value.clone())
        }
        Some(_) => Origin::Given,
        None => Origin::Account(match &chosen.server {
            Some(Given { value, by }) => Which::Configured(value.clone(), by),
            None => Which::Usual,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;
    use crate::target::Problem;

    const URL: &str = "http://here:32400";

    /// The contract's table, word by word: the first that is there.
    fn expected(
        server: Option<&str>,
        token: Option<&str>,
        url: bool,
        configured_token: bool,
        plex_server: bool,
        signed_in: bool,
    ) -> Origin {
        let server_of_call = server.map(|server| server.contains("://"));
        match (server_of_call, url, signed_in) {
            (Some(true), ..) => Origin::Given,
            (Some(false), ..) => Origin::Account(Which::OfCall("Box".to_owned())),
            (None, true, true) if token.is_none() && !configured_token => {
                Origin::Lent(URL.to_owned())
            }
            (None, true, _) | (None, false, false) => Origin::Given,
            (None, false, true) if plex_server => {
                Origin::Account(Which::Configured("Attic".to_owned(), "--plex-server"))
            }
            (None, false, true) => Origin::Account(Which::Usual),
        }
    }

    #[test]
    fn every_combination_of_sources_keeps_the_precedence() {
        let mut seen = 0;
        for server in [None, Some("http://there"), Some(URL), Some("Box")] {
            for token in [None, Some(""), Some("t")] {
                for configured in
                    [None, Some(Ok(Secret::new("t"))), Some(Err(Problem::new("broken", "mend it")))]
                {
                    for digits in 0..8 {
                        let [url, plex_server, signed_in] = [1, 2, 4].map(|bit| digits & bit > 0);
                        let chosen = Chosen {
                            url: url.then(|| Given::new(URL.to_owned(), "PLEX_URL")),
                            token: configured.clone().map(|token| Given::new(token, "PLEX_TOKEN")),
                            server: plex_server
                                .then(|| Given::new("Attic".to_owned(), "--plex-server")),
                            warnings: Vec::new(),
                        };
                        let found = origin(Call { server, token }, &chosen, signed_in);
                        let has_token = configured.is_some();
                        let expected =
                            expected(server, token, url, has_token, plex_server, signed_in);
                        assert_eq!(
                            found, expected,
                            "{server:?} {token:?} {has_token} {url} {plex_server} {signed_in}"
                        );
                        seen += 1;
                    }
                }
            }
        }
        assert_eq!(seen, 4 * 3 * 3 * 8);
    }

    #[test]
    fn a_server_with_a_scheme_is_a_url_and_other_text_a_name() {
        let of = |server| Call { server: Some(server), token: None }.named();
        assert_eq!((of(URL), of("Box"), of(" ")), (None, Some("Box"), None));
    }

    #[test]
    fn an_address_without_its_scheme_is_told_so() {
        let of = |server, signed_in| {
            origin(Call { server: Some(server), token: None }, &Chosen::default(), signed_in)
        };
        for server in ["", " ", "plex:32400", "192.168.1.5:32400"] {
            assert_eq!(of(server, false), Origin::Given, "{server}");
        }
        assert_eq!(of("Box", false), Origin::Account(Which::OfCall("Box".to_owned())));
        assert_eq!(of("plex:1", true), Origin::Account(Which::OfCall("plex:1".to_owned())));
    }
}
