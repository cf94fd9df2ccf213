use std::fs;
#[cfg(unix)]
use std::path::Path;

use tempfile::TempDir;
use time::OffsetDateTime;

use super::*;
use crate::account::files::StoredServer;
use crate::secret::Secret;

fn store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path().join("data"), Secrets::default());
    (folder, store)
}

fn pending(pin_id: u64) -> SignInFile {
    let (device_id, user_code) = ("box".to_owned(), "ABCD".to_owned());
    SignInFile { device_id, pin_id, user_code, expires_at: OffsetDateTime::UNIX_EPOCH }
}

fn pending_in(store: &Store) -> Result<Option<SignInFile>, FileError> {
    Ok(store.look(Torn::Warned)?.1)
}

fn account(pin_id: u64) -> AccountFile {
    AccountFile {
        device_id: "box".to_owned(),
        plex_tv: "https://plex.tv".to_owned(),
        token: Secret::new("t0ken-of-the-account"),
        account: None,
        pin_id,
        signed_in_at: OffsetDateTime::UNIX_EPOCH,
    }
}

fn server() -> StoredServer {
    StoredServer {
        name: "Attic".to_owned(),
        uri: Some("http://10.0.0.1:32400".to_owned()),
        token: Some(Secret::new("t0ken-of-the-server")),
        found_at: Some(OffsetDateTime::UNIX_EPOCH),
        failed_at: None,
    }
}

fn sign_in(store: &Store, pin_id: u64) {
    store.save_pending(&pending(pin_id)).unwrap();
    assert_eq!(store.complete(&account(pin_id)).unwrap(), Completed::Stored);
}

/// Who has found a server may be late.
#[test]
fn nothing_of_a_sign_in_that_is_gone_comes_back() {
    let (_folder, store) = store();
    sign_in(&store, 6);
    store.remove_all().unwrap();
    store.change_servers(6, |servers| drop(servers.servers.insert("m1".to_owned(), server())));
    assert!(!store.folder.join(SERVER).exists());
    sign_in(&store, 7);
    store.change_servers(6, |servers| drop(servers.servers.insert("m1".to_owned(), server())));
    assert!(store.servers().servers.is_empty());
}

#[test]
fn a_sign_in_is_read_as_it_was_written_and_its_token_is_known_to_the_redactor() {
    let (_folder, store) = store();
    assert_eq!(pending_in(&store).unwrap(), None);
    store.save_pending(&pending(7)).unwrap();
    assert_eq!(pending_in(&store).unwrap(), Some(pending(7)));
    assert_eq!(store.complete(&account(7)).unwrap(), Completed::Stored);
    assert_eq!(pending_in(&store).unwrap(), None);
    let again = Store::new(store.folder.clone(), Secrets::default());
    let stored = again.account().unwrap().unwrap();
    assert_eq!((stored.token.expose(), stored.pin_id), ("t0ken-of-the-account", 7));
    assert_eq!(again.secrets.redact("t0ken-of-the-account"), "REDACTED");
}

#[test]
fn a_claimed_pin_is_stored_only_while_it_is_the_one_that_waits() {
    let (_folder, store) = store();
    assert_eq!(store.complete(&account(7)).unwrap(), Completed::GivenUp);
    store.save_pending(&pending(8)).unwrap();
    assert_eq!(store.complete(&account(7)).unwrap(), Completed::GivenUp);
    assert!(store.account().unwrap().is_none());
    store.forget_pending(7).unwrap();
    assert_eq!(pending_in(&store).unwrap(), Some(pending(8)));
    store.forget_pending(8).unwrap();
    assert_eq!(pending_in(&store).unwrap(), None);
    store.save_pending(&pending(8)).unwrap();
    assert_eq!(store.complete(&account(8)).unwrap(), Completed::Stored);
    assert_eq!(
        store.complete(&account(8)).unwrap(),
        Completed::Stored,
        "another process was first"
    );
    store.save_pending(&pending(8)).unwrap();
    assert_eq!(store.complete(&account(8)).unwrap(), Completed::Stored, "after a crash in between");
    assert_eq!(pending_in(&store).unwrap(), None);
}

#[test]
fn a_new_sign_in_forgets_the_servers_and_not_the_choice() {
    let (_folder, store) = store();
    sign_in(&store, 6);
    store.change_servers(6, |servers| {
        servers.chosen = Some("m1".to_owned());
        servers.automatic = Some("m2".to_owned());
        servers.servers.insert("m1".to_owned(), server());
    });
    let stored = store.servers().servers.remove("m1").unwrap();
    assert_eq!(stored.token.unwrap().expose(), "t0ken-of-the-server");
    store.save_pending(&pending(7)).unwrap();
    store.complete(&account(7)).unwrap();
    let servers = store.servers();
    assert_eq!((servers.chosen.as_deref(), servers.automatic), (Some("m1"), None));
    assert!(servers.servers.is_empty());
}

#[test]
fn a_pause_ends_and_the_account_changes_for_the_sign_in_that_is_stored() {
    let (_folder, store) = store();
    sign_in(&store, 6);
    let paused = StoredServer { failed_at: Some(OffsetDateTime::UNIX_EPOCH), ..server() };
    store.change_servers(6, |servers| drop(servers.servers.insert("m1".to_owned(), paused)));
    let failed_at = || store.servers().servers["m1"].failed_at;
    store.end_pauses(5);
    assert!(failed_at().is_some());
    store.end_pauses(6);
    assert_eq!(failed_at(), None);
    let signed_in_at = || store.account().unwrap().unwrap().signed_in_at.unix_timestamp();
    let later = OffsetDateTime::from_unix_timestamp(5).unwrap();
    for (pin_id, expected) in [(5, 0), (6, 5)] {
        store.change_account(pin_id, |account| account.signed_in_at = later).unwrap();
        assert_eq!(signed_in_at(), expected);
    }
}

#[test]
fn what_is_torn_is_absent_and_is_written_over() {
    let (_folder, store) = store();
    store.save_pending(&pending(7)).unwrap();
    for torn in ["", "{", "[]", "{\"device_id\": 5}", "\u{0}"] {
        for name in [ACCOUNT, SIGN_IN, SERVER] {
            fs::write(store.folder.join(name), torn).unwrap();
        }
        assert!(store.account().unwrap().is_none() && pending_in(&store).unwrap().is_none());
        assert_eq!(store.servers().chosen, None);
        sign_in(&store, 7);
        assert!(store.account().unwrap().is_some());
        fs::write(store.folder.join(SERVER), torn).unwrap();
        store.change_servers(7, |servers| servers.chosen = Some("m".to_owned()));
        assert_eq!(store.servers().chosen.as_deref(), Some("m"));
    }
}

#[test]
#[cfg(unix)]
fn what_is_written_is_the_owners_alone_and_no_link_is_followed() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let (folder, store) = store();
    store.save_pending(&pending(7)).unwrap();
    let path = store.folder.join(SIGN_IN);
    let mode = |path: &Path| fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    store.save_pending(&pending(8)).unwrap();
    assert_eq!(mode(&path), 0o600);
    let target = folder.path().join("elsewhere");
    fs::rename(&path, &target).unwrap();
    symlink(&target, &path).unwrap();
    let error = pending_in(&store).unwrap_err();
    assert!(error.problem.reason.contains("link") && error.path == path, "{error:?}");
    store.save_pending(&pending(9)).unwrap();
    assert!(fs::read_to_string(&target).unwrap().contains("8"));
    assert_eq!(pending_in(&store).unwrap(), Some(pending(9)));
}

#[test]
fn what_killed_writers_left_is_removed_by_the_next_one() {
    let (_folder, store) = store();
    store.save_pending(&pending(7)).unwrap();
    let left = store.folder.join(".sign_in.json.123.0123456789abcdef.tmp");
    fs::write(&left, "secret").unwrap();
    store.save_pending(&pending(8)).unwrap();
    assert!(!left.exists());
}

#[test]
fn all_goes_at_once_and_what_can_t_go_is_told() {
    let (_folder, store) = store();
    store.remove_all().unwrap();
    store.save_pending(&pending(7)).unwrap();
    store.complete(&account(7)).unwrap();
    store.change_servers(7, |servers| servers.chosen = Some("m".to_owned()));
    store.save_pending(&pending(8)).unwrap();
    fs::remove_file(store.folder.join(SIGN_IN)).unwrap();
    fs::create_dir(store.folder.join(SIGN_IN)).unwrap();
    let error = store.remove_all().unwrap_err();
    assert_eq!(error.path, store.folder.join(SIGN_IN));
    assert!(!store.folder.join(ACCOUNT).exists() && !store.folder.join(SERVER).exists());
    assert!(pending_in(&store).unwrap_err().problem.reason.contains("folder"));
}

#[test]
fn a_token_is_stored_even_if_somebody_holds_the_lock_for_ever() {
    let (_folder, store) = store();
    store.save_pending(&pending(7)).unwrap();
    let _held = store.lock(PATIENCE).unwrap();
    assert_eq!(store.complete(&account(7)).unwrap(), Completed::Stored);
    assert!(store.account().unwrap().is_some());
    store.remove_all().unwrap();
    assert!(store.account().unwrap().is_none());
}

#[test]
fn a_cache_that_can_t_be_locked_or_read_is_done_without() {
    let (_folder, store) = store();
    sign_in(&store, 6);
    store.change_servers(6, |servers| servers.chosen = Some("m".to_owned()));
    let held = store.lock(PATIENCE).unwrap();
    store.change_servers(6, |servers| servers.chosen = None);
    drop(held);
    assert_eq!(store.servers().chosen.as_deref(), Some("m"));
    fs::remove_file(store.folder.join(SERVER)).unwrap();
    fs::create_dir(store.folder.join(SERVER)).unwrap();
    assert_eq!(store.servers().chosen, None);
    store.change_servers(6, |servers| servers.chosen = Some("n".to_owned()));
    store.save_pending(&pending(7)).unwrap();
    store.complete(&account(7)).unwrap();
}
