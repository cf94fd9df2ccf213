//! Folders as Plex sees them: on another machine perhaps, with another system's rules.

/// The folder that a scan of `path` is about: the path itself where it ends in a separator, else its parent.
///
/// `None` where there is no parent: a bare file name.
pub fn folder_of(path: &str) -> Option<&str> {
    let end = path.rfind(separators(path))?;
    match &path[..end] {
        // The root keeps its separator: `/`, `C:\`.
        "" => Some(&path[..=end]),
        drive if drive.ends_with(':') => Some(&path[..=end]),
        folder => Some(folder),
    }
}

/// How deep `location` holds `folder`, in whole path parts; `None` where it does not.
pub(crate) fn depth(location: &str, folder: &str) -> Option<usize> {
    let windows = is_windows(location);
    let same = |a: &str, b: &str| match windows {
        true => a.to_lowercase() == b.to_lowercase(),
        false => a == b,
    };
    let location: Vec<_> = parts(location).collect();
    let mut folder = parts(folder);
    let holds = location.iter().all(|part| folder.next().is_some_and(|other| same(part, other)));
    holds.then_some(location.len())
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split(separators(path)).filter(|part| !part.is_empty())
}

/// On Windows both kinds separate; elsewhere a backslash is a letter of a name.
fn separators(path: &str) -> &'static [char] {
    match is_windows(path) {
        true => &['/', '\\'],
        false => &['/'],
    }
}

/// `C:\...`, `C:/...` or `\\server\share`.
fn is_windows(path: &str) -> bool {
    match path.as_bytes() {
        [letter, b':', ..] => letter.is_ascii_alphabetic(),
        [b'\\', b'\\', ..] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_paths() {
        for (path, folder) in [
            ("/data/scenes/a.mp4", Some("/data/scenes")),
            ("/data/scenes/", Some("/data/scenes")),
            ("/a.mp4", Some("/")),
            ("/", Some("/")),
            ("/data/a\\b.mp4", Some("/data")),
            ("D:\\Media\\a.mp4", Some("D:\\Media")),
            ("D:\\a.mp4", Some("D:\\")),
            ("D:/Media/a.mp4", Some("D:/Media")),
            ("\\\\nas\\share\\a.mp4", Some("\\\\nas\\share")),
            ("a.mp4", None),
            ("", None),
        ] {
            assert_eq!(folder_of(path), folder, "{path}");
        }
    }

    #[test]
    fn locations_hold_whole_parts() {
        for (location, folder, expected) in [
            ("/data", "/data", Some(1)),
            ("/data/", "/data/scenes", Some(1)),
            ("/data/scenes", "/data/scenes/x", Some(2)),
            ("/data", "/database", None),
            ("/data/scenes", "/data", None),
            ("/Data", "/data", None),
            ("/", "/data", Some(0)),
            ("/data", "//data//x", Some(1)),
            ("D:\\Media", "d:/media/X", Some(2)),
            ("D:\\Media", "E:\\Media", None),
            ("\\\\NAS\\Share", "\\\\nas\\share\\x", Some(2)),
        ] {
            assert_eq!(depth(location, folder), expected, "{location} {folder}");
        }
    }
}
