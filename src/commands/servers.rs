//! `servers`: the account's servers as a table, and the choice of one.

use std::io;

use plexsync_protocol::message::method;
use plexsync_protocol::server::{
    ChooseParams, ChooseResult, Connection, ListParams, ListResult, Server,
};

use super::login::line;
use super::{End, Setting, Streams};

/// Lists the account's servers; with `probe` every connection is tried.
pub(super) fn list(
    setting: &Setting<'_>,
    streams: &mut Streams<'_>,
    probe: bool,
    json: bool,
) -> io::Result<End> {
    writeln!(streams.errors, "{}", setting.whose())?;
    let params = ListParams { probe, timeout_ms: None };
    match setting.ask::<ListResult>(method::SERVER_LIST, &params) {
        Err(error) => return streams.show(Err(error)),
        Ok((text, _)) if json => line(streams, &text)?,
        Ok((_, ListResult { servers, .. })) if servers.is_empty() => {
            writeln!(streams.output, "The account has no Plex server.")?;
        }
        Ok((_, ListResult { servers, .. })) => {
            streams.output.write_all(table(&servers).as_bytes())?;
        }
    }
    Ok(End::Fine)
}

/// Chooses a server by name or identifier.
pub(super) fn choose(
    setting: &Setting<'_>,
    streams: &mut Streams<'_>,
    server: String,
    json: bool,
) -> io::Result<End> {
    writeln!(streams.errors, "{}", setting.whose())?;
    let params = ChooseParams { server, timeout_ms: None };
    match setting.ask::<ChooseResult>(method::SERVER_CHOOSE, &params) {
        Err(error) => return streams.show(Err(error)),
        Ok((text, _)) if json => line(streams, &text)?,
        Ok((_, chosen)) => {
            let name = &chosen.server.name;
            writeln!(streams.output, "{name} is chosen, at {}.", chosen.uri)?;
            if let Some(warning) = chosen.warning {
                writeln!(streams.errors, "warning: {warning}")?;
            }
        }
    }
    Ok(End::Fine)
}

/// A line for each server, and one for each of its connections.
fn table(servers: &[Server]) -> String {
    let mut table = String::new();
    let width = |text: fn(&Server) -> &str| {
        servers.iter().map(|server| text(server).chars().count()).max().unwrap_or(0)
    };
    let (name, id) = (width(|server| &server.name), width(|server| &server.machine_identifier));
    for server in servers {
        let Server { name: shown, machine_identifier, connections, .. } = server;
        let state = state(server);
        table += &format!("{shown:<name$}  {machine_identifier:<id$}  {state}\n");
        let uris = connections.iter().map(|connection| connection.uri.chars().count());
        let uri = uris.max().unwrap_or(0);
        for connection in connections {
            let row = format!(
                "  {:<uri$}  {:<6}  {}",
                connection.uri,
                kind(connection),
                result(connection)
            );
            table += row.trim_end();
            table.push('\n');
        }
    }
    table
}

fn state(server: &Server) -> String {
    let words = [
        Some(if server.owned { "owned" } else { "shared" }),
        Some(if server.online { "online" } else { "not online" }),
        server.chosen.then_some("chosen"),
        server.in_use.then_some("in use"),
    ];
    let version = server.version.as_deref();
    words.into_iter().flatten().chain(version).collect::<Vec<_>>().join(", ")
}

fn kind(connection: &Connection) -> &'static str {
    match (connection.relay, connection.local) {
        (true, _) => "relay",
        (false, true) => "local",
        (false, false) => "remote",
    }
}

fn result(connection: &Connection) -> String {
    let elapsed =
        connection.elapsed_ms.map(|elapsed| format!(", {elapsed} ms")).unwrap_or_default();
    match (connection.reachable, &connection.problem) {
        (Some(true), _) => format!("reachable{elapsed}"),
        (Some(false), Some(problem)) => problem.clone(),
        (Some(false), None) => "not reachable".to_owned(),
        (None, _) => String::new(),
    }
}
