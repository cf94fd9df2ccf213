//! Which device is it, and which libraries does Plex have? See the README.
#![expect(clippy::print_stdout, reason = "an example is there to be read")]

use std::time::Duration;

use plexsync_client::protocol::plex::RequestParams;
use plexsync_client::{Builder, CallError, Client};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Sections {
    media_container: Directories,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Directories {
    directory: Vec<Section>,
}

#[derive(Deserialize)]
struct Section {
    title: String,
}

pub(crate) fn libraries(worker: Builder) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let client = worker.restart(true).start()?;
    println!("this device is {}", client.identity_get().wait()?.device_id);

    let request = RequestParams::get("/library/sections");
    let response = match client.plex_request(&request).wait() {
        Err(CallError::Retry(_)) => {
            std::thread::sleep(Duration::from_secs(2));
            client.plex_request(&request).wait()?
        }
        response => response?,
    };
    let sections: Sections = response.body_as()?;
    client.close()?;
    Ok(sections.media_container.directory.into_iter().map(|section| section.title).collect())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for title in libraries(Client::builder("plexsync-worker"))? {
        println!("{title}");
    }
    Ok(())
}
