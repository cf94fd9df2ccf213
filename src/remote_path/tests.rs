use proptest::prelude::*;

use super::*;

fn path(text: &str) -> RemotePath {
    RemotePath::parse(text).unwrap_or_else(|| panic!("`{text}` is absolute"))
}

/// What is sent for `folder` if Plex has these locations.
fn sent(folder: &str, locations: &[&str]) -> Vec<String> {
    let locations: Vec<_> = locations.iter().map(|text| path(text)).collect();
    let held = path(folder).held_by(locations.iter().map(|location| ((), location)));
    held.into_iter().map(|((), location, rest)| location.join(&rest)).collect()
}

#[test]
fn only_absolute_paths_are_paths() {
    for text in
        ["", "a", "data/x", "./x", "../x", "C:", "C:x", r"\x", r"\\", r"\\nas", r"\\nas\", "1:/x"]
    {
        assert_eq!(RemotePath::parse(text), None, "{text}");
    }
}

#[test]
fn a_path_is_tidied() {
    for (text, tidy) in [
        ("/", "/"),
        ("//", "/"),
        ("//data", "/data"),
        ("/data//scenes//x/", "/data/scenes/x"),
        ("/data/./scenes/../films", "/data/films"),
        ("/../../a", "/a"),
        (r"/a\b", r"/a\b"),
        (r"D:\", r"D:\"),
        ("D:/", "D:/"),
        (r"D:\a\..\..\b", r"D:\b"),
        (r"D:\a/b\\c", r"D:\a\b\c"),
        ("D:/a/b", "D:/a/b"),
        (r"\\?\D:\a\b", r"D:\a\b"),
        (r"\\?\UNC\nas\share\x", r"\\nas\share\x"),
        (r"\\nas\share\..\x\", r"\\nas\share\x"),
        ("//nas/share", "//nas/share"),
    ] {
        assert_eq!(path(text).to_string(), tidy, "{text}");
    }
}

#[test]
fn a_file_lies_in_a_folder() {
    for (file, folder) in [
        ("/data/scenes/a.mp4", "/data/scenes"),
        ("/data/scenes/", "/data/scenes"),
        ("/data/scenes/..", "/data"),
        ("/data/scenes/.", "/data/scenes"),
        ("/a.mp4", "/"),
        ("/", "/"),
        (r"/data/a\b.mp4", "/data"),
        (r"/data/a\", "/data"),
        (r"D:\Media\a.mp4", r"D:\Media"),
        (r"\\?\D:\Media\a.mp4", r"D:\Media"),
        (r"D:\Media\", r"D:\Media"),
        (r"D:\a.mp4", r"D:\"),
        ("D:/Media/a.mp4", "D:/Media"),
        (r"D:/Media\", "D:/Media"),
        (r"\\nas\share\a.mp4", r"\\nas\share"),
        ("//nas/share/a.mp4", "//nas/share"),
    ] {
        assert_eq!(RemotePath::folder_of(file).map(|it| it.to_string()).as_deref(), Some(folder));
    }
    assert_eq!(RemotePath::folder_of("a.mp4"), None);
}

#[test]
fn what_is_sent_is_the_location_s_own_spelling_and_the_rest() {
    for (folder, location, expected) in [
        ("/data", "/data", "/data"),
        ("/data/scenes", "/data/", "/data/scenes"),
        ("/data", "/data/", "/data/"),
        ("/data/scenes", "/", "/data/scenes"),
        ("/", "/", "/"),
        ("/data//scenes//x/", "/data/scenes", "/data/scenes/x"),
        ("/data/scenes/../films/a", "/data/films", "/data/films/a"),
        ("/data/./scenes/x", "/data/scenes", "/data/scenes/x"),
        ("//data/scenes/x", "/data/scenes", "/data/scenes/x"),
        ("//data/scenes/../../x", "/x", "/x"),
        ("/data/scenes/x", "/data//scenes", "/data//scenes/x"),
        ("/data/a #%?+& ü😀 ", "/data", "/data/a #%?+& ü😀 "),
        (r"/data/a\b", "/data", r"/data/a\b"),
        (r"d:\media\X", r"D:\Media", r"D:\Media\X"),
        ("D:/Media/X", r"D:\Media", r"D:\Media\X"),
        (r"D:\Media/X/y", r"D:\Media", r"D:\Media\X\y"),
        (r"D:\Media\X\", "D:/Media", "D:/Media/X"),
        (r"S:\\Show", r"S:\", r"S:\Show"),
        (r"s:\Show", "S:/", "S:/Show"),
        (r"S:\", r"S:\", r"S:\"),
        (r"\\NAS\Share\TV\Show", r"\\nas\share\tv\", r"\\nas\share\tv\Show"),
        ("//nas/share/tv/Show", r"\\nas\share\tv\", r"\\nas\share\tv\Show"),
        (r"\\nas\share\films\a", "//NAS/share/films", "//NAS/share/films/a"),
        ("//10.0.0.7/share/films/a", "//10.0.0.7/share/films", "//10.0.0.7/share/films/a"),
        (r"D:\ΤΑΙΝΊΕΣ\x", r"d:\ταινίες", r"d:\ταινίες\x"),
        ("/Volumes/Cafe\u{301}/X", "/Volumes/Caf\u{e9}", "/Volumes/Caf\u{e9}/X"),
        ("/Volumes/Caf\u{e9}/X\u{301}", "/Volumes/Cafe\u{301}", "/Volumes/Cafe\u{301}/X\u{301}"),
        ("D:\\CAFE\u{301}\\X", "D:\\caf\u{e9}", "D:\\caf\u{e9}\\X"),
    ] {
        assert_eq!(sent(folder, &[location]), [expected], "{folder} in {location}");
    }
}

#[test]
fn a_location_holds_whole_parts_of_its_own_kind() {
    for (folder, location) in [
        ("/database", "/data"),
        ("/mnt/tv-4k/x", "/mnt/tv"),
        ("/data", "/data/scenes"),
        ("/data/scenes/../films", "/data/scenes"),
        ("/Data", "/data"),
        ("/10.0.0.7/share/films/a", "//10.0.0.7/share/films"),
        (r"E:\Media", r"D:\Media"),
        ("/D:/Media", "D:/Media"),
        (r"\\nas\share\x", "/nas/share"),
        (r"D:\straße", r"D:\strasse"),
    ] {
        assert!(sent(folder, &[location]).is_empty(), "{folder} in {location}");
    }
}

#[test]
fn the_same_bytes_come_before_the_same_letters() {
    let (composed, decomposed) = ("/m/Caf\u{e9}", "/m/Cafe\u{301}");
    for (folder, both) in [(composed, [composed, decomposed]), (decomposed, [composed, decomposed])]
    {
        assert_eq!(sent(folder, &both), [folder]);
    }
    assert_eq!(sent("/m/Cafe\u{301}/x", &["/m", composed]), ["/m/Cafe\u{301}/x", "/m/Caf\u{e9}/x"]);
    // On Windows these are one folder.
    assert_eq!(sent(r"D:\m\x", &[r"d:\M", r"D:\m", "D:/m"]), [r"d:\M\x", r"D:\m\x", "D:/m/x"]);
}

#[test]
fn letter_case_is_told_where_it_alone_differs() {
    assert!(path("/volumes/x/y").differs_in_case_from(&path("/Volumes/X")));
    assert!(!path("/volumes/x/y").differs_in_case_from(&path("/Volumes/Z")));
    assert!(!path("/x").differs_in_case_from(&path(r"D:\x")));
}

fn parts(count: impl Into<prop::collection::SizeRange>) -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[a-zA-Z0-9é #%&]{1,6}", count)
}

/// How a separator may be written, and what may stand between two.
fn odd(separators: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    let separator = || prop::sample::select(separators);
    let detour = prop::sample::select(&["", "", "", ".", "gone/.."][..]);
    let piece =
        (separator(), detour, separator()).prop_map(|(before, detour, after)| match detour {
            "" => before.to_owned(),
            detour => format!("{before}{detour}{after}"),
        });
    prop::collection::vec(piece, 12)
}

fn spelled(root: &str, parts: &[String], between: &[String]) -> String {
    let parts = parts.iter().zip(between).map(|(part, between)| format!("{between}{part}"));
    format!("{root}{}", parts.collect::<String>())
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in r"([/\\.:aDé ]|\PC){0,30}") {
        if let Some(path) = RemotePath::parse(&text) {
            let tidy = path.to_string();
            prop_assert_eq!(RemotePath::parse(&tidy).map(|it| it.to_string()), Some(tidy));
        }
    }

    #[test]
    fn every_posix_spelling_of_a_folder_is_sent_as_the_location_has_it(
        location in parts(1..4), rest in parts(0..4), between in odd(&["/", "//", "///"]), end in "/{0,2}",
    ) {
        let own = format!("/{}{end}", location.join("/"));
        let folder = spelled("", &[location.clone(), rest.clone()].concat(), &between);
        // Two slashes at the start may be UNC's, and then `..` has another root.
        let folder = format!("/{}", folder.trim_start_matches('/'));
        let expected = match rest.is_empty() {
            true => own.clone(),
            false => format!("/{}/{}", location.join("/"), rest.join("/")),
        };
        prop_assert_eq!(sent(&folder, &[&own]), [expected]);
    }

    #[test]
    fn every_windows_spelling_of_a_folder_is_sent_as_the_location_has_it(
        location in parts(0..4), rest in parts(0..4), between in odd(&["\\", "/", "\\\\"]), upper: bool,
    ) {
        let own = format!("D:\\{}", location.join("\\"));
        let asked = location.iter().map(|part| match upper {
            true => part.to_uppercase(),
            false => part.to_lowercase(),
        });
        let asked: Vec<_> = asked.chain(rest.clone()).collect();
        let folder = format!("{}\\", spelled("d:", &asked, &between));
        let mut expected = own.trim_end_matches('\\').to_owned();
        rest.iter().for_each(|part| expected = format!("{expected}\\{part}"));
        let expected = if rest.is_empty() { own.clone() } else { expected };
        prop_assert_eq!(sent(&folder, &[&own]), [expected]);
    }

    #[test]
    fn what_is_joined_is_read_as_its_parts(root in prop::sample::select(&["/", "/a/", r"D:\", "D:/x", r"\\n\s\"][..]), rest in parts(0..4)) {
        let folder = path(root);
        let joined = path(&folder.join(&rest));
        prop_assert_eq!(joined.depth(), folder.depth() + rest.len());
        prop_assert_eq!(joined.held_by([((), &folder)]), [((), &folder, rest)]);
    }
}
