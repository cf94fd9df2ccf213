//! What an unexpected response to the probe means: each has its own message and hint.

use plexsync_protocol::doctor::Check;
use serde_json::Value;
use url::Url;

use super::{failure, warning};

/// An answer to one of the questions.
pub(super) struct Answer {
    pub(super) status: u64,
    pub(super) body: Value,
    headers: Value,
    url: Option<Url>,
    /// About the token that was used.
    pub(super) warning: Option<String>,
}

impl Answer {
    /// Reads a result of `plex.request`.
    pub(super) fn of(result: &[u8]) -> Self {
        let mut result: Value = serde_json::from_slice(result).unwrap_or_default();
        Self {
            status: result["status"].as_u64().unwrap_or_default(),
            warning: result["warning"].as_str().map(str::to_owned),
            url: result["url"].as_str().and_then(|url| url.parse().ok()),
            headers: result["headers"].take(),
            body: result["body"].take(),
        }
    }

    /// Whether there is such a header; the name is in lower case.
    pub(super) fn has(&self, header: &str) -> bool {
        self.headers.get(header).is_some()
    }

    fn header(&self, name: &str) -> &str {
        self.headers[name].as_str().unwrap_or_default()
    }
}

/// Plex answers, but its plugins or its database are not ready.
pub(super) fn starting(name: &str, state: &str) -> Check {
    warning(name, format!("Plex is still starting (`{state}`)"), "wait, then run this again")
}

/// Something that answers, and is not Plex.
pub(super) fn not_plex(name: &str, what: &str) -> Check {
    let message = format!("the response ({what}) is not Plex's");
    failure(
        name,
        message,
        "check host, port and path of the URL; Plex's own port is 32400, and it has no path",
    )
}

/// What an answer means that is not 200, or not Plex's.
pub(super) fn refusal(name: &str, answer: &Answer) -> Check {
    const BYPASS: &str = "a proxy in front of Plex requires a login: exempt Plex's paths there, or give the \
                          server's own address in the URL";
    let status = answer.status;
    let failure = |message: String, hint: &str| failure(name, message, hint);
    match status {
        301 | 302 | 303 | 307 | 308 => redirect(name, answer, BYPASS),
        200 if is_page(answer) => failure(
            "a web page came back (status `200`), as of a login or another program".to_owned(),
            "check host and port of the URL; if a proxy requires a login, exempt Plex's paths there",
        ),
        401 if answer.has("www-authenticate") => failure(
            format!("a login is required (status `401`, `{}`) that is not Plex's", scheme(answer)),
            BYPASS,
        ),
        404 => failure(
            "not found (status `404`): host and port answer, but this URL is not Plex's".to_owned(),
            "check the path in the URL: Plex's own has none, such as `http://192.168.1.10:32400`",
        ),
        429 => failure(
            "too many requests (status `429`)".to_owned(),
            "wait some minutes, then run this again",
        ),
        502 | 504 | 520..=526 => failure(
            format!("a proxy answered instead of Plex (status `{status}`): it can't reach Plex"),
            "check that Plex runs, and the address of Plex in the proxy's configuration",
        ),
        503 => failure(
            "Plex is starting or in maintenance (status `503`)".to_owned(),
            "wait, then run this again; an update of the database can take an hour; if there is a proxy in front, check \
             that Plex runs behind it",
        ),
        _ => not_plex(name, &format!("status `{status}`")),
    }
}

fn redirect(name: &str, answer: &Answer, bypass: &str) -> Check {
    let status = answer.status;
    let location = Some(answer.header("location")).filter(|location| !location.is_empty());
    let target = answer.url.as_ref().and_then(|url| url.join(location?).ok());
    let host = |url: &Url| url.host_str().map(str::to_owned);
    match (&answer.url, target) {
        (Some(url), Some(to))
            if host(url) == host(&to) && to.scheme() == "https" && url.scheme() == "http" =>
        {
            let secure = to.origin().ascii_serialization();
            let message = format!("the server requires secure connections (status `{status}`)");
            failure(name, message, format!("use `{secure}` as the URL"))
        }
        (_, Some(to)) => {
            let elsewhere = to.origin().ascii_serialization();
            failure(
                name,
                format!("the response redirects to `{elsewhere}` (status `{status}`)"),
                bypass,
            )
        }
        (_, None) => {
            failure(name, format!("the response redirects elsewhere (status `{status}`)"), bypass)
        }
    }
}

/// `Basic` or `Bearer`: the first word of the challenge, and no realm.
fn scheme(answer: &Answer) -> &str {
    answer.header("www-authenticate").split([' ', ',']).next().unwrap_or_default()
}

fn is_page(answer: &Answer) -> bool {
    answer.header("content-type").to_ascii_lowercase().contains("html")
}
