//! `path_map`: the same folder under two names, as Stash sees it and as Plex sees it.

use crate::remote_path::RemotePath;

/// Folders of Stash and what Plex calls them.
///
/// Written as `/stash/media=/plex/media; D:\clips=/data/clips`: entries separated by `;`, spaces around entries and
/// sides do not count, empty entries are skipped. Both sides are absolute: `/...`, `X:\...` or `\\server\share...`.
/// The sides are separated by the first `=` with an absolute path behind it, so folders such as `/a=b` can be named. A
/// folder with `;` in its name can't: name the folder above it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PathMap(Vec<Entry>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    stash: RemotePath,
    plex: RemotePath,
}

impl PathMap {
    /// Reads the setting; an empty one maps nothing.
    ///
    /// # Errors
    /// A sentence for the user: which entry is wrong, and what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut entries: Vec<Entry> = Vec::new();
        for written in text.split(';').map(str::trim).filter(|written| !written.is_empty()) {
            let entry = Entry::parse(written).ok_or_else(|| {
                format!(
                    "entry `{written}` is not a pair of folders, expected `/folder/in/stash=/folder/in/plex`, several \
                     separated by `;`"
                )
            })?;
            if entries.iter().any(|known| known.stash.is_same(&entry.stash)) {
                return Err(format!("folder `{}` is mapped twice, expected once", entry.stash));
            }
            entries.push(entry);
        }
        Ok(Self(entries))
    }

    /// The path as Plex sees it: of the mapped folders that hold it, on whole path parts, the longest is replaced.
    /// `None` for a path that no entry holds.
    pub fn translate(&self, path: &RemotePath) -> Option<RemotePath> {
        let held = path.held_by(self.0.iter().map(|entry| (entry, &entry.stash)));
        let (entry, _, rest) = held.into_iter().max_by_key(|(_, folder, _)| folder.depth())?;
        RemotePath::parse(&entry.plex.join(&rest))
    }

    /// Where Plex's folders are, as Stash sees them: of one that holds a mapped folder, that. A folder that Stash's names
    /// do not lead to is there under Plex's own name.
    pub fn locations(&self, folders: &[RemotePath]) -> Vec<RemotePath> {
        let mut found: Vec<RemotePath> = Vec::new();
        for folder in folders {
            let within = folder.held_by(self.0.iter().map(|entry| (entry, &entry.plex)));
            found.extend(
                within
                    .iter()
                    .filter_map(|(entry, _, rest)| RemotePath::parse(&entry.stash.join(rest))),
            );
            let holds = |entry: &&Entry| !entry.plex.held_by([((), folder)]).is_empty();
            found.extend(self.0.iter().filter(holds).map(|entry| entry.stash.clone()));
            found.extend(self.translate(folder).is_none().then(|| folder.clone()));
        }
        found
    }

    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Entry {
    fn parse(written: &str) -> Option<Self> {
        written.match_indices('=').find_map(|(at, _)| {
            let plex = RemotePath::parse(written[at + 1..].trim())?;
            Some(Self { stash: RemotePath::parse(written[..at].trim())?, plex })
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn translate(map: &str, path: &str) -> Option<String> {
        let path = RemotePath::parse(path).unwrap();
        PathMap::parse(map).unwrap().translate(&path).map(|path| path.to_string())
    }

    #[test]
    fn translates_the_longest_folder_on_whole_parts() {
        let cases = [
            ("/stash=/plex", "/stash/a.mp4", "/plex/a.mp4"),
            ("/stash=/plex", "/stash", "/plex"),
            ("/stash=/plex", "/stash/", "/plex"),
            ("/stash=/plex", "/other/../stash/x", "/plex/x"),
            ("/stash/=/plex/", "/stash/a b/c.mp4", "/plex/a b/c.mp4"),
            ("/s=/p;/s/x=/y", "/s/x/a", "/y/a"),
            ("/s/x=/y ; /s=/p ;", "/s/x/a", "/y/a"),
            ("/s=/p;/s/x=/y", "/s/xx/a", "/p/xx/a"),
            ("/=/plex", "/a/b", "/plex/a/b"),
            ("/stash=/", "/stash/a", "/a"),
            ("/stash=/", "/stash/", "/"),
            ("/a=b/c=/p", "/a=b/c/d", "/p/d"),
            ("/a=/p=q", "/a/d", "/p=q/d"),
            ("/caf\u{e9}=/p", "/cafe\u{301}/d", "/p/d"),
            ("/stash=/plex", r"/stash/back\slash", r"/plex/back\slash"),
            (r"D:\media=/data/media", r"D:\media\x\a.mp4", "/data/media/x/a.mp4"),
            (r"D:\media=/data/media", r"d:\Media\X\a.mp4", "/data/media/X/a.mp4"),
            (r"D:\media=/data/media", "D:/media/x/", "/data/media/x"),
            (r"D:\=/data", r"D:\a", "/data/a"),
            (r"/stash=E:\", "/stash/a/b", r"E:\a\b"),
            ("/stash=E:/", "/stash/a/b", "E:/a/b"),
            (r"/stash=E:\", "/stash", r"E:\"),
            (r"\\nas\share=/mnt", r"\\NAS\share\a\b", "/mnt/a/b"),
            (r"\\nas\share=/mnt", "//nas/share/a/b", "/mnt/a/b"),
            (r"/mnt=\\nas\share", "/mnt/a/b", r"\\nas\share\a\b"),
        ];
        for (map, path, expected) in cases {
            assert_eq!(translate(map, path).as_deref(), Some(expected), "{path} by {map}");
        }
        for (map, path) in [("", "/s"), ("/s=/p", "/stashed"), ("/s=/p", "/S/a"), ("/s=/p", "/")] {
            assert_eq!(translate(map, path), None, "{path} by {map}");
        }
    }

    #[test]
    fn refuses_what_is_no_pair_of_folders() {
        for text in ["/a", "/a=", "=/a", "/a=b", "a=/b", "/a:/b", r"\a=/b", "D:=/b", "/a=/b;c"] {
            let message = PathMap::parse(text).unwrap_err();
            assert!(message.contains("/folder/in/stash="), "{message}");
        }
        for text in ["/a=/b;/a/=/c", r"D:\x=/b;d:/X=/c"] {
            assert!(PathMap::parse(text).unwrap_err().contains("mapped twice"), "{text}");
        }
    }

    #[test]
    fn an_empty_setting_maps_nothing() {
        for text in ["", " ", ";", " ; ; "] {
            assert!(PathMap::parse(text).unwrap().is_empty());
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in r"([/\\=;:. aDé]|\PC){0,30}", path in r"[/\\ .:aDé]{0,20}") {
            if let (Ok(map), Some(path)) = (PathMap::parse(&text), RemotePath::parse(&path)) {
                prop_assert!(!map.is_empty() || map.translate(&path).is_none());
            }
        }

        #[test]
        fn a_map_and_its_mirror_undo_each_other(
            parts in prop::collection::vec("[a-c]{1,2}", 0..4),
            below in prop::collection::vec("[a-zé ]{1,5}", 0..4),
        ) {
            let folder = format!("/{}", parts.join("/"));
            let path = format!("/{}", [parts, below].concat().join("/"));
            let there = translate(&format!(r"{folder}=Q:\z"), &path).unwrap();
            let back = translate(&format!(r"Q:\z={folder}"), &there).unwrap();
            prop_assert_eq!(back, path);
        }
    }
}
