//! What can be typed.

use std::time::Duration;

use plexsync_harness::fake_plex_tv::DeviceRow;
use plexsync_harness::{FakePlex, FakePlexTv, Fault};

/// How late a slow Plex is.
const LATE: Duration = Duration::from_secs(3);
/// Who enters a code, where nobody is named.
const SOMEBODY: &str = "alice";
/// Ids of devices that were left behind, and the days since.
const PHANTOMS: [(&str, u64); 3] = [("811000001", 400), ("811000002", 200), ("811000003", 100)];
const HELP: &str = "\
claim [CODE] [ACCOUNT]  enters a code on plex.tv/link: the oldest one, as alice
expire CODE             lets a code expire
phantoms                lists three devices more on plex.tv, which another program left behind
add PATH                puts a file on Plex's disk: the next scan of its folder brings it
ok                      Plex answers as usual
off                     Plex refuses connections
slow                    Plex answers three seconds late
401, 503, ...           Plex answers with this status only
quit                    ends, as the end of stdin does";

/// Both sides of Plex.
pub(crate) struct Fakes {
    pub(crate) plex: FakePlex,
    pub(crate) tv: FakePlexTv,
    /// The first folder of its library.
    pub(crate) library: String,
}

/// A line that was typed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Nothing,
    Help,
    Quit,
    Claim { code: Option<String>, account: String },
    Expire(String),
    Phantoms,
    Add(String),
    Ok,
    Off,
    Slow,
    Status(u16),
}

impl Command {
    /// Reads a line.
    ///
    /// # Errors
    /// It is no command; the text says what is.
    pub(crate) fn parse(line: &str) -> Result<Self, String> {
        let line = line.trim();
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim();
        Ok(match (word, rest) {
            ("", _) => Self::Nothing,
            ("help", "") => Self::Help,
            ("quit", "") => Self::Quit,
            ("ok", "") => Self::Ok,
            ("off", "") => Self::Off,
            ("slow", "") => Self::Slow,
            ("phantoms", "") => Self::Phantoms,
            ("claim", rest) => {
                let (code, account) = rest.split_once(' ').unwrap_or((rest, SOMEBODY));
                let code = Some(code.to_uppercase()).filter(|code| !code.is_empty());
                Self::Claim { code, account: account.trim().to_owned() }
            }
            ("expire", code) if !code.is_empty() => Self::Expire(code.to_owned()),
            ("add", path) if !path.is_empty() => Self::Add(path.to_owned()),
            (number, "") => match number.parse() {
                Ok(status @ 200..600) => Self::Status(status),
                _ => return Err(no_command(line)),
            },
            _ => return Err(no_command(line)),
        })
    }

    /// Does it. What there is to say, if anything.
    pub(crate) fn carry_out(self, fakes: &Fakes) -> Option<String> {
        match self {
            Self::Nothing | Self::Quit => None,
            Self::Help => Some(HELP.to_owned()),
            Self::Claim { code, account } => {
                let Some(code) = code.or_else(|| fakes.tv.codes().into_iter().next()) else {
                    return Some("no sign-in is under way".to_owned());
                };
                let unknown = !fakes.tv.claim(&code, &account);
                unknown.then(|| format!("there is no code `{code}` to enter"))
            }
            Self::Expire(code) => {
                fakes.tv.expire(&code);
                Some(format!("`{code}` is no code any more"))
            }
            Self::Phantoms => {
                for (id, days) in PHANTOMS {
                    fakes.tv.add_device(DeviceRow::phantom(id, days));
                }
                Some("the account has three devices more".to_owned())
            }
            Self::Add(path) => Some(match fakes.plex.add_file(&path).join(", ") {
                none if none.is_empty() => {
                    format!("no section holds `{path}`: expected one below `{}`", fakes.library)
                }
                sections => {
                    format!("the next scan of its folder brings `{path}` (section {sections})")
                }
            }),
            fault => Some(fault.misbehave(&fakes.plex)),
        }
    }

    /// One fault at a time, for every request.
    fn misbehave(self, plex: &FakePlex) -> String {
        plex.no_faults();
        if self == Self::Off {
            plex.turn_off();
            return "Plex is off".to_owned();
        }
        plex.turn_on();
        let fault = match self {
            Self::Slow => Fault::Delay(LATE),
            Self::Status(503) => Fault::Maintenance,
            Self::Status(status) => Fault::answer(status, &[], ""),
            _ => return "Plex answers as usual".to_owned(),
        };
        plex.fault(fault.always());
        "until `ok` Plex does so".to_owned()
    }
}

fn no_command(line: &str) -> String {
    format!("`{line}` is no command: `help` has them")
}
