//! Where the identity lives: one rule for methods and commands.

use std::path::{Path, PathBuf};

/// The folders that may be meant.
#[derive(Debug)]
pub struct Folders<'a> {
    /// The one that the user named.
    pub given: Option<&'a Path>,
    /// The host's own: in a Stash conversation the plugin's.
    pub of_host: Option<PathBuf>,
    /// The platform's, for applications' data.
    pub of_platform: Option<&'a Path>,
}

impl Folders<'_> {
    /// The one that is meant. What the user named is relative to `working_folder`.
    pub fn choose(self, working_folder: &Path) -> Option<PathBuf> {
        let given = self.given.map(|given| working_folder.join(given));
        given.or(self.of_host).or_else(|| self.of_platform.map(Path::to_owned))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_s_word_comes_before_the_host_s_and_that_before_the_platform_s() {
        let choose = |given: Option<&str>, of_host: Option<&str>, of_platform: Option<&str>| {
            let folders = Folders {
                given: given.map(Path::new),
                of_host: of_host.map(PathBuf::from),
                of_platform: of_platform.map(Path::new),
            };
            folders.choose(Path::new("/here"))
        };
        let (host, platform) = (Some("/host"), Some("/platform"));
        for (chosen, expected) in [
            (choose(Some("given"), host, platform), Some("/here/given")),
            (choose(Some("/given"), None, None), Some("/given")),
            (choose(None, host, platform), Some("/host")),
            (choose(None, None, platform), Some("/platform")),
            (choose(None, None, None), None),
        ] {
            assert_eq!(chosen.as_deref(), expected.map(Path::new));
        }
    }
}
