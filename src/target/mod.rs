//! Which server is used, and which token may be sent to it: the one precedence of flags, environment and Stash's settings,
//! for methods, `doctor` and commands.

mod origin;
mod router;
mod token_file;
mod written;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

pub use self::origin::{Call, Origin, origin};
use self::router::{AccountRouter, Need};
pub use self::router::{Means, no_server};
use crate::account::server::Which;
use crate::files::Problem;
use crate::plex::{Account, same_origin};
use crate::secret::{Secret, Secrets};
use crate::stash::{SETTINGS_PAGE, Settings};

/// A value and its source: the name of a flag, variable or setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given<T> {
    pub value: T,
    pub by: &'static str,
}

/// The source of the default data folder.
pub const PLATFORM: &str = "the platform's default";

impl<T> Given<T> {
    pub fn new(value: T, by: &'static str) -> Self {
        Self { value, by }
    }
}

#[derive(Debug, Clone)]
pub enum Token {
    File(PathBuf),
    Text(Secret),
}

/// One source of a URL and a token. Its token belongs to its URL.
#[derive(Debug, Clone, Default)]
pub struct Source {
    pub url: Option<Given<String>>,
    pub token: Option<Given<Token>>,
    /// Which of the account's servers is meant, by name or identifier, where there is no URL.
    pub server: Option<Given<String>>,
}

/// The user's settings in Stash.
impl From<&Settings> for Source {
    fn from(settings: &Settings) -> Self {
        let token = settings.plex_token.clone();
        Self {
            url: settings.plex_url.clone().map(|url| Given::new(url, SETTINGS_PAGE)),
            token: token.map(|token| Given::new(Token::Text(token), SETTINGS_PAGE)),
            server: settings.plex_server.clone().map(|server| Given::new(server, SETTINGS_PAGE)),
        }
    }
}

/// The sources of this process, in order of precedence.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    list: Vec<Source>,
    secrets: Secrets,
    /// The warnings have been logged.
    logged: Arc<AtomicBool>,
    /// What results from them, where no file is read.
    settled: Arc<OnceLock<Chosen>>,
}

/// What results from the sources.
#[derive(Debug, Clone, Default)]
pub struct Chosen {
    /// The server's base URL, without what pasting adds. It may still be invalid.
    pub url: Option<Given<String>>,
    /// The token that belongs to it, or why it can't be used, with a hint.
    pub token: Option<Given<Result<Secret, Problem>>>,
    /// The account's server that is meant where there is no URL, by name or identifier.
    pub server: Option<Given<String>>,
    /// Problems that don't keep a value from being used.
    pub warnings: Vec<Problem>,
}

impl Chosen {
    /// Server and token as a request uses them.
    pub fn account(&self) -> Account {
        let token = self.token.as_ref().map(|token| match &token.value {
            Ok(token) => Ok(token.clone()),
            Err(problem) => Err(sentence(problem)),
        });
        let server = self.url.as_ref().map(|url| url.value.clone());
        Account { server, token: token.transpose(), router: None }
    }

    /// The same for a call, completed with what the account gives. `means` is `None` if nobody is signed in.
    pub fn account_for(&self, call: Call<'_>, means: Option<Means>) -> Account {
        let origin = origin(call, self, means.is_some());
        let (need, account) = match origin {
            Origin::Given => return self.account(),
            Origin::Account(which @ Which::OfCall(_)) => (Need::Server(which), Account::default()),
            Origin::Account(which) => (Need::Server(which), self.account()),
            Origin::Lent(url) => (Need::Token(url), self.account()),
        };
        let lends = call.token.is_none() && matches!(account.token, Ok(None));
        let router = means.map(|means| Arc::new(AccountRouter::new(means, need, lends)) as Arc<_>);
        Account { router, ..account }
    }
}

impl Sources {
    /// Sources in order of precedence. Their tokens are redacted from now on.
    pub fn new(list: Vec<Source>, secrets: Secrets) -> Self {
        for source in &list {
            remember(source, &secrets);
        }
        Self { list, secrets, ..Self::default() }
    }

    /// The same with one more, of the lowest precedence.
    #[must_use]
    pub fn and(&self, source: Source) -> Self {
        remember(&source, &self.secrets);
        let list = self.list.iter().cloned().chain([source]).collect();
        Self { list, settled: Arc::default(), ..self.clone() }
    }

    /// Whether there is a server, and a token for it.
    pub fn are_complete(&self) -> (bool, bool) {
        let (url, token) = precedence(&self.list);
        (url.is_some(), token.is_some())
    }

    /// The server and its token. A token file is read at each call: it may be renewed.
    pub fn choose(&self) -> Chosen {
        let (url, token) = precedence(&self.list);
        match token {
            Some(Given { value: Token::File(_), .. }) => self.chosen(url, token),
            _ => self.settled.get_or_init(|| self.chosen(url, token)).clone(),
        }
    }

    fn chosen(&self, url: Option<&Given<String>>, token: Option<&Given<Token>>) -> Chosen {
        let mut warnings = passed_over(&self.list, token);
        let url = url.map(|url| {
            let (value, odd) = written::url(&url.value);
            warnings.extend(odd.map(|odd| about(&format!("the URL in `{}`", url.by), odd)));
            Given::new(value, url.by)
        });
        let token = token.map(|token| Given::new(self.read(token, &mut warnings), token.by));
        let server = self.list.iter().find_map(|source| source.server.clone());
        Chosen { url, token, server, warnings }
    }

    /// The server and its token. Warnings are logged once.
    pub fn choose_once_told(&self) -> Chosen {
        let chosen = self.choose();
        if !self.logged.swap(true, Ordering::Relaxed) {
            chosen.warnings.iter().for_each(|warning| tracing::warn!("{}", sentence(warning)));
        }
        chosen
    }

    /// Warnings are logged no more, where the same would be said by each of a thousand processes.
    pub fn log_nothing(&self) {
        self.logged.store(true, Ordering::Relaxed);
    }

    /// The server alone, for a call that brings its own token: no token file is read.
    pub fn choose_server(&self) -> Chosen {
        let (url, _) = precedence(&self.list);
        let url = url.map(|url| Given::new(written::url(&url.value).0, url.by));
        let server = self.list.iter().find_map(|source| source.server.clone());
        Chosen { url, server, ..Chosen::default() }
    }

    fn read(&self, given: &Given<Token>, warnings: &mut Vec<Problem>) -> Result<Secret, Problem> {
        let (text, shown) = match &given.value {
            Token::Text(secret) => (secret.clone(), format!("the token in `{}`", given.by)),
            Token::File(path) => {
                let shown = format!("token file `{}` of `{}`", path.display(), given.by);
                let (text, wide) = token_file::read(path, &shown)?;
                warnings.extend(wide.map(|wide| about(&shown, wide)));
                (text, shown)
            }
        };
        let (token, odd) = written::token(text.expose()).map_err(|it| about(&shown, it))?;
        warnings.extend(odd.map(|odd| about(&shown, odd)));
        self.secrets.remember(&token);
        Ok(token)
    }
}

/// A problem with `subject`.
fn about(subject: &str, (reason, hint): written::Odd) -> Problem {
    Problem::new(format!("{subject} {reason}"), hint)
}

fn sentence(problem: &Problem) -> String {
    format!("{}; {}", problem.reason, problem.hint)
}

fn remember(source: &Source, secrets: &Secrets) {
    if let Some(Given { value: Token::Text(secret), .. }) = &source.token {
        secrets.remember(secret);
    }
}

/// The first URL decides on the server; the first token that belongs to it, or to no URL, is used, valid or not.
fn precedence(sources: &[Source]) -> (Option<&Given<String>>, Option<&Given<Token>>) {
    let url = sources.iter().find_map(|source| source.url.as_ref());
    let token = sources.iter().filter(|source| belongs(source, url));
    (url, token.clone().find_map(|source| source.token.as_ref()))
}

fn belongs(source: &Source, server: Option<&Given<String>>) -> bool {
    match (&source.url, server) {
        (Some(own), Some(server)) => {
            own.value == server.value
                || same_origin(&written::url(&own.value).0, &written::url(&server.value).0)
        }
        _ => true,
    }
}

/// A token that belongs to another server is reported if it leaves no token to use.
fn passed_over(sources: &[Source], token: Option<&Given<Token>>) -> Vec<Problem> {
    let owner = sources.iter().find_map(|source| source.token.as_ref().zip(source.url.as_ref()));
    let passed_over = owner.filter(|_| token.is_none()).map(|(token, url)| {
        let reason = format!(
            "the token in `{}` is not used: it belongs to the URL in `{}`",
            token.by, url.by
        );
        Problem::new(reason, "give the token in the same source as the URL of the server")
    });
    passed_over.into_iter().collect()
}

#[cfg(test)]
mod tests;
