//! `path_map`: the same folder under two names, as Stash sees it and as Plex sees it.

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
    stash: AbsolutePath,
    plex: AbsolutePath,
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
                    "entry `{written}` is no pair of folders, expected `/folder/in/stash=/folder/in/plex`, several \
                     separated by `;`"
                )
            })?;
            if entries.iter().any(|known| known.stash.is_same(&entry.stash)) {
                return Err(format!(
                    "folder `{}` is mapped twice, expected once",
                    entry.stash.text()
                ));
            }
            entries.push(entry);
        }
        Ok(Self(entries))
    }

    /// The path as Plex sees it: the longest mapped folder that holds it, on whole path parts, is replaced, and what
    /// follows is written in Plex's style. A path that no entry holds stays as it is. A separator at the end stays.
    pub fn translate(&self, path: &str) -> String {
        let Some(parsed) = AbsolutePath::parse(path) else { return path.to_owned() };
        let longest = self
            .0
            .iter()
            .filter_map(|entry| Some((entry, parsed.below(&entry.stash)?)))
            .max_by_key(|(entry, _)| entry.stash.parts.len());
        let Some((entry, below)) = longest else { return path.to_owned() };
        let mut translated = entry.plex.clone();
        translated.parts.extend_from_slice(below);
        let mut text = translated.text();
        let separator = translated.style.separator();
        if parsed.style.ends_in_separator(path) && !text.ends_with(separator) {
            text.push(separator);
        }
        text
    }

    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Entry {
    fn parse(written: &str) -> Option<Self> {
        written.match_indices('=').find_map(|(at, _)| {
            let plex = AbsolutePath::parse(written[at + 1..].trim())?;
            Some(Self { stash: AbsolutePath::parse(written[..at].trim())?, plex })
        })
    }
}

/// How a path is written. Stash and Plex may run on different systems, so the text decides, not the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// `/a/b`: a backslash is an ordinary character.
    Unix,
    /// `D:\a\b`; `/` separates too, letter case does not count.
    Drive,
    /// `\\server\share\a`; likewise.
    Share,
}

impl Style {
    fn of(path: &str) -> Option<Self> {
        match path.as_bytes() {
            [b'/', ..] => Some(Self::Unix),
            [b'\\', b'\\', rest @ ..] if !rest.is_empty() => Some(Self::Share),
            [letter, b':', b'/' | b'\\', ..] if letter.is_ascii_alphabetic() => Some(Self::Drive),
            _ => None,
        }
    }

    const fn separator(self) -> char {
        match self {
            Self::Unix => '/',
            Self::Drive | Self::Share => '\\',
        }
    }

    fn separates(self, character: char) -> bool {
        character == '/' || character == self.separator()
    }

    fn ends_in_separator(self, path: &str) -> bool {
        path.ends_with(|character| self.separates(character))
    }

    fn is_same_part(self, one: &str, other: &str) -> bool {
        match self {
            Self::Unix => one == other,
            Self::Drive | Self::Share => one.to_lowercase() == other.to_lowercase(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct AbsolutePath {
    style: Style,
    parts: Vec<String>,
}

impl AbsolutePath {
    fn parse(path: &str) -> Option<Self> {
        let style = Style::of(path)?;
        let parts = path.split(|character| style.separates(character));
        Some(Self {
            style,
            parts: parts.filter(|part| !part.is_empty()).map(str::to_owned).collect(),
        })
    }

    /// The parts below `folder`, if it holds this path or is it.
    fn below(&self, folder: &Self) -> Option<&[String]> {
        let (head, below) = self.parts.split_at_checked(folder.parts.len())?;
        let held = self.style == folder.style
            && head
                .iter()
                .zip(&folder.parts)
                .all(|(one, other)| self.style.is_same_part(one, other));
        held.then_some(below)
    }

    fn is_same(&self, other: &Self) -> bool {
        self.below(other).is_some_and(<[String]>::is_empty)
    }

    fn text(&self) -> String {
        match (self.style, self.parts.as_slice()) {
            (Style::Unix, parts) => format!("/{}", parts.join("/")),
            (Style::Drive, [drive]) => format!("{drive}\\"),
            (Style::Drive, parts) => parts.join("\\"),
            (Style::Share, parts) => format!("\\\\{}", parts.join("\\")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn translates_the_longest_folder_on_whole_parts() {
        let cases = [
            ("/stash=/plex", "/stash/a.mp4", "/plex/a.mp4"),
            ("/stash=/plex", "/stash", "/plex"),
            ("/stash=/plex", "/stash/", "/plex/"),
            ("/stash=/plex", "/stashed/a.mp4", "/stashed/a.mp4"),
            ("/stash=/plex", "/Stash/a.mp4", "/Stash/a.mp4"),
            ("/stash/=/plex/", "/stash/a b/c.mp4", "/plex/a b/c.mp4"),
            ("/s=/p;/s/x=/y", "/s/x/a", "/y/a"),
            ("/s/x=/y ; /s=/p ;", "/s/x/a", "/y/a"),
            ("/s=/p;/s/x=/y", "/s/xx/a", "/p/xx/a"),
            ("/=/plex", "/a/b", "/plex/a/b"),
            ("/stash=/", "/stash/a", "/a"),
            ("/stash=/", "/stash/", "/"),
            ("/a=b/c=/p", "/a=b/c/d", "/p/d"),
            ("/a=/p=q", "/a/d", "/p=q/d"),
            ("/stash=/plex", r"/stash/back\slash", r"/plex/back\slash"),
            (r"D:\media=/data/media", r"D:\media\x\a.mp4", "/data/media/x/a.mp4"),
            (r"D:\media=/data/media", r"d:\Media\X\a.mp4", "/data/media/X/a.mp4"),
            (r"D:\media=/data/media", "D:/media/x/", "/data/media/x/"),
            (r"D:\=/data", r"D:\a", "/data/a"),
            (r"/stash=E:\", "/stash/a/b", r"E:\a\b"),
            (r"/stash=E:\", "/stash", r"E:\"),
            (r"\\nas\share=/mnt", r"\\NAS\share\a\b", "/mnt/a/b"),
            (r"/mnt=\\nas\share", "/mnt/a/b", r"\\nas\share\a\b"),
            ("/s=/p", "relative/s", "relative/s"),
            ("", "/s", "/s"),
        ];
        for (map, path, expected) in cases {
            let parsed = PathMap::parse(map).unwrap();
            assert_eq!(parsed.translate(path), expected, "{path} by {map}");
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
            if let Ok(map) = PathMap::parse(&text) {
                let once = map.translate(&path);
                if map.is_empty() {
                    prop_assert_eq!(once, path);
                }
            }
        }

        #[test]
        fn a_map_and_its_mirror_undo_each_other(
            parts in prop::collection::vec("[a-c]{1,2}", 0..4),
            below in prop::collection::vec("[a-zé ]{1,5}", 0..4),
        ) {
            let folder = format!("/{}", parts.join("/"));
            let path = AbsolutePath { style: Style::Unix, parts: [parts, below].concat() }.text();
            let there = PathMap::parse(&format!(r"{folder}=Q:\z")).unwrap().translate(&path);
            let back = PathMap::parse(&format!(r"Q:\z={folder}")).unwrap().translate(&there);
            prop_assert_eq!(back, path);
        }
    }
}
