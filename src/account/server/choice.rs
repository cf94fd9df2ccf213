//! Which of the account's servers is meant.

use plexsync_protocol::error::KnownServer;

use super::resources::Server;
use crate::account::files::ServerFile;

/// Which server is meant is not clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unclear {
    /// What is not clear, with a hint.
    pub reason: String,
    /// Whether the call itself names the server.
    pub by_call: bool,
    /// The account's servers.
    pub servers: Vec<KnownServer>,
}

/// Which of the account's servers is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// The one that the call names: by name, in any letter case, or by identifier.
    OfCall(String),
    /// The one that an option, a variable or a setting names, and which.
    Configured(String, &'static str),
    /// The chosen one, else the only owned one, else the only one.
    Usual,
}

impl Which {
    fn name(&self) -> Option<&str> {
        match self {
            Self::OfCall(name) | Self::Configured(name, _) => Some(name),
            Self::Usual => None,
        }
    }
}

/// The identifier of the server that is meant, as far as the cache knows.
pub(super) fn in_cache(cache: &ServerFile, which: &Which) -> Option<String> {
    let Some(name) = which.name() else { return cache.chosen.clone().or(cache.automatic.clone()) };
    if cache.servers.contains_key(name) {
        return Some(name.to_owned());
    }
    let mut named = cache.servers.iter().filter(|(_, server)| is_same(&server.name, name));
    let (identifier, _) = named.next()?;
    named.next().is_none().then(|| identifier.clone())
}

/// The server of the account that is meant.
///
/// # Errors
/// None is, or several are.
pub(super) fn in_list<'s>(
    servers: &'s [Server],
    which: &Which,
    chosen: Option<&str>,
) -> Result<&'s Server, Unclear> {
    let unclear = |reason: String| Unclear {
        reason,
        by_call: matches!(which, Which::OfCall(_)),
        servers: known(servers),
    };
    let Some(name) = which.name() else {
        let chosen = chosen.and_then(|chosen| with_identifier(servers, chosen));
        return chosen.or_else(|| automatic(servers)).ok_or_else(|| unclear(none_chosen(servers)));
    };
    if let Some(server) = with_identifier(servers, name) {
        return Ok(server);
    }
    let mut named = servers.iter().filter(|server| is_same(&server.name, name));
    let by = match which {
        Which::Configured(_, by) => format!("the server in `{by}`"),
        _ => "`server`".to_owned(),
    };
    match (named.next(), named.next()) {
        (Some(server), None) => Ok(server),
        (Some(_), Some(_)) => Err(unclear(format!(
            "{by}: the account has several servers of this name; name one by its `machine_identifier`"
        ))),
        (None, _) => Err(unclear(format!("{by}: {}", none_of_name(name, servers)))),
    }
}

/// The server that needs no choice: the only one that the account owns, else its only one.
pub(super) fn automatic(servers: &[Server]) -> Option<&Server> {
    let only = |list: Vec<&'_ Server>| match list.as_slice() {
        [only] => Some(only.machine_identifier.clone()),
        _ => None,
    };
    let owned = only(servers.iter().filter(|server| server.owned).collect());
    let identifier = owned.or_else(|| only(servers.iter().collect()))?;
    with_identifier(servers, &identifier)
}

pub(super) fn with_identifier<'s>(servers: &'s [Server], identifier: &str) -> Option<&'s Server> {
    servers.iter().find(|server| server.machine_identifier == identifier)
}

/// The account's servers, for an error.
pub(super) fn known(servers: &[Server]) -> Vec<KnownServer> {
    let known = |server: &Server| KnownServer {
        name: server.name.clone(),
        machine_identifier: server.machine_identifier.clone(),
        owned: server.owned,
    };
    servers.iter().map(known).collect()
}

fn is_same(one: &str, other: &str) -> bool {
    !one.is_empty() && one.to_lowercase() == other.trim().to_lowercase()
}

fn none_chosen(servers: &[Server]) -> String {
    match servers {
        [] => {
            "the account has no Plex server; share one with it, or set the server's URL".to_owned()
        }
        servers => format!(
            "the account has several Plex servers ({}), and none is chosen; choose one with `server.choose` or \
             `plexsync-worker servers choose NAME`, or name one in `--plex-server`, `PLEXSYNC_PLEX_SERVER` or the \
             plugin setting `plex_server`",
            names(servers)
        ),
    }
}

fn none_of_name(name: &str, servers: &[Server]) -> String {
    if looks_like_host_and_port(name) {
        return "is none of the account's servers; if it is an address, write `http://` in front"
            .to_owned();
    }
    match servers {
        [] => "the account has no Plex server".to_owned(),
        servers => format!("is none of the account's servers, which are {}", names(servers)),
    }
}

fn names(servers: &[Server]) -> String {
    let names: Vec<_> =
        servers.iter().take(20).map(|server| format!("`{}`", server.name)).collect();
    names.join(", ")
}

/// Whether a server's name is rather an address without its scheme: `nas:32400`.
pub fn looks_like_host_and_port(name: &str) -> bool {
    let Some((host, port)) = name.rsplit_once(':') else { return false };
    let port = port.split('/').next().unwrap_or_default();
    !host.is_empty() && !host.contains(' ') && port.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::account::files::StoredServer;
    use crate::account::server::resources;
    use crate::secret::Secrets;

    /// Servers as name, identifier, and whether they are owned.
    fn servers(list: &[(&str, &str, bool)]) -> Vec<Server> {
        let server = |(name, identifier, owned): &(&str, &str, bool)| json!({"provides": "server", "name": name, "clientIdentifier": identifier, "owned": owned});
        let list: Vec<Value> = list.iter().map(server).collect();
        resources::read(json!(list).to_string().as_bytes(), &Secrets::default()).unwrap()
    }

    fn meant(
        list: &[(&str, &str, bool)],
        which: &Which,
        chosen: Option<&str>,
    ) -> Result<String, String> {
        let servers = servers(list);
        let found = in_list(&servers, which, chosen);
        found.map(|server| server.machine_identifier.clone()).map_err(|unclear| {
            assert_eq!(unclear.servers.len(), list.len());
            unclear.reason
        })
    }

    #[test]
    fn without_a_name_it_is_the_chosen_the_only_owned_or_the_only_one() {
        let usual = |list: &[_], chosen| meant(list, &Which::Usual, chosen);
        let (mine, other, shared) =
            (("Box", "a", true), ("Attic", "b", true), ("Eve's", "c", false));
        assert_eq!(usual(&[mine], None).unwrap(), "a");
        assert_eq!(usual(&[shared], None).unwrap(), "c");
        assert_eq!(usual(&[shared, mine], None).unwrap(), "a");
        assert_eq!(usual(&[mine, other], Some("b")).unwrap(), "b");
        assert_eq!(usual(&[shared, mine], Some("c")).unwrap(), "c");
        assert_eq!(usual(&[mine, shared], Some("gone")).unwrap(), "a");
        assert!(
            usual(&[mine, other, shared], None).unwrap_err().contains("`Box`, `Attic`, `Eve's`")
        );
        assert!(usual(&[shared, ("Bob's", "d", false)], None).is_err());
        assert!(usual(&[], None).unwrap_err().contains("no Plex server"));
    }

    #[test]
    fn a_name_counts_in_any_letter_case_and_an_identifier_as_it_is() {
        let list = [("Bücherbox", "a", true), ("twin", "b", true), ("Twin", "c", false)];
        let named = |name: &str| meant(&list, &Which::OfCall(name.to_owned()), Some("c"));
        for (name, expected) in [("bÜcherbox", "a"), (" Bücherbox", "a"), ("a", "a"), ("c", "c")]
        {
            assert_eq!(named(name).unwrap(), expected, "{name}");
        }
        assert!(named("twin").unwrap_err().contains("several servers of this name"));
        assert!(named("").is_err());
        assert!(named("A").unwrap_err().contains("`Bücherbox`"));
        for name in ["nas:32400", "192.168.1.5:32400", "nas:32400/web", "[::1]:32400"] {
            assert!(named(name).unwrap_err().contains("write `http://`"), "{name}");
        }
        for name in ["the nas:32400", ":32400", "nas:x", "nas:99999", "nas"] {
            assert!(named(name).unwrap_err().contains("`Bücherbox`"), "{name}");
        }
        let configured = Which::Configured("attic".to_owned(), "--plex-server");
        assert!(meant(&list, &configured, None).unwrap_err().contains("`--plex-server`"));
    }

    #[test]
    fn the_cache_knows_what_it_has_found() {
        let stored = |name: &str| StoredServer {
            name: name.to_owned(),
            uri: None,
            token: None,
            found_at: None,
            failed_at: None,
        };
        let mut cache = ServerFile::default();
        assert_eq!(in_cache(&cache, &Which::Usual), None);
        cache.servers.insert("a".to_owned(), stored("Box"));
        cache.servers.insert("b".to_owned(), stored("twin"));
        cache.servers.insert("c".to_owned(), stored("Twin"));
        cache.automatic = Some("a".to_owned());
        assert_eq!(in_cache(&cache, &Which::Usual).as_deref(), Some("a"));
        cache.chosen = Some("b".to_owned());
        assert_eq!(in_cache(&cache, &Which::Usual).as_deref(), Some("b"));
        for (name, expected) in [("BOX", Some("a")), ("c", Some("c")), ("twin", None), ("x", None)]
        {
            let which = Which::Configured(name.to_owned(), "plex_server");
            assert_eq!(in_cache(&cache, &which).as_deref(), expected, "{name}");
        }
    }
}
