//! A code as a person sees it: large, with its link, and as a QR code where there is room for one.

use std::time::Duration;

use plexsync_protocol::sign_in::SignInCode;
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

use super::letters::large;

/// Takes the countdown off the terminal's line.
pub(super) const NO_COUNTDOWN: &str = "\r                                        \r";

/// The lines for a terminal of `width` columns, or for none. `colour`: whether it may have colours.
pub(super) fn code(code: &SignInCode, width: Option<usize>, colour: bool) -> String {
    let SignInCode { user_code, verification_uri, verification_uri_complete, .. } = code;
    let minutes = code.expires_in.div_ceil(60);
    let Some(width) = width else {
        return format!(
            "Open {verification_uri} and enter the code {user_code} within {minutes} minutes.\n\
             Or open {verification_uri_complete}\n"
        );
    };
    let bold = |text: &str| if colour { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() };
    let mut shown =
        format!("On any device, open {verification_uri} and enter {}\n\n", bold(user_code));
    if let Some(large) = large(user_code, width) {
        shown += &format!("{large}\n");
    }
    shown += &format!("or open {verification_uri_complete}\n");
    if let Some(qr) = qr(verification_uri_complete, width, colour) {
        shown += &format!("or scan\n\n{qr}\n");
    }
    shown + "Ctrl-C leaves; the next `login` goes on with the same code.\n"
}

/// With colours it is black on white, whatever the terminal's own are; without, it is for a dark one.
fn qr(text: &str, width: usize, colour: bool) -> Option<String> {
    let qr = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let mut renderer = qr.render::<Dense1x2>();
    if !colour {
        renderer.dark_color(Dense1x2::Light).light_color(Dense1x2::Dark);
    }
    let lines = renderer.build();
    let fits = lines.lines().all(|line| line.chars().count() <= width);
    let framed = |line: &str| match colour {
        true => format!("\x1b[30;107m{line}\x1b[0m\n"),
        false => format!("{line}\n"),
    };
    fits.then(|| lines.lines().map(framed).collect())
}

/// One line over the one before. On a terminal of 24 lines it is all that shows the code, with the URL.
pub(super) fn countdown(code: &str, left: Duration) -> String {
    let seconds = left.as_secs();
    format!("\rWaiting for {code}: {}:{:02} left ", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(width: Option<usize>, colour: bool) -> String {
        let complete = "https://plex.tv/link/?pin=K7QX".to_owned();
        let code_ = SignInCode {
            user_code: "K7QX".to_owned(),
            verification_uri: "https://plex.tv/link".to_owned(),
            verification_uri_complete: complete,
            expires_in: 899,
            expires_at: String::new(),
            pending: false,
        };
        code(&code_, width, colour)
    }

    #[test]
    fn a_terminal_shows_letters_link_and_qr_code_and_nothing_wider_than_it_is() {
        let wide = shown(Some(80), false);
        assert!(wide.contains("enter K7QX\n\n   ██") && wide.contains('▀'), "{wide}");
        assert!(!wide.contains('\x1b'), "{wide}");
        let narrow = shown(Some(30), false);
        assert!(narrow.contains("enter K7QX") && !narrow.contains(['▀', '█']), "{narrow}");
        assert!(shown(Some(80), true).contains("\x1b[30;107m"));
        for line in wide.lines().filter(|line| !line.contains("https")) {
            assert!(line.chars().count() <= 66, "{line}");
        }
    }

    #[test]
    fn without_a_terminal_there_are_two_lines() {
        let plain = shown(None, false);
        assert_eq!(plain.lines().count(), 2);
        assert!(plain.contains("enter the code K7QX within 15 minutes"), "{plain}");
    }

    #[test]
    fn the_countdown_is_one_line() {
        assert_eq!(countdown("K7QX", Duration::from_secs(899)), "\rWaiting for K7QX: 14:59 left ");
        assert!(NO_COUNTDOWN.len() > countdown("K7QX", Duration::from_secs(100_000)).len());
    }
}
