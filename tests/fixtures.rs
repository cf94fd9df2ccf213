//! What Plex and Stash write, in the shapes of real ones, goes through the worker.

use plexsync_harness::fixtures;

use crate::host;

#[path = "real_bytes/checks.rs"]
mod checks;

#[test]
fn json_of_plex_arrives_as_it_was_sent() {
    checks::json_bodies_arrive(&host(), &fixtures::plex("json"));
}

#[test]
fn xml_of_plex_arrives_as_json() {
    checks::xml_bodies_arrive(&host(), &fixtures::plex("xml"));
}

#[test]
fn listings_of_plex_are_joined_from_their_pages() {
    assert_eq!(checks::listings_are_joined(&host(), &fixtures::plex("json")), 3);
}

#[test]
fn what_stash_writes_is_answered() {
    checks::stash_is_answered(&host(), &fixtures::stash());
}
