//! Letters and digits that can be read from across a room.

/// Five rows of five dots each. A zero has a stroke, so that it is no `O`.
const LETTERS: [(char, [u8; 5]); 36] = [
    ('A', [0b01110, 0b10001, 0b11111, 0b10001, 0b10001]),
    ('B', [0b11110, 0b10001, 0b11110, 0b10001, 0b11110]),
    ('C', [0b01111, 0b10000, 0b10000, 0b10000, 0b01111]),
    ('D', [0b11110, 0b10001, 0b10001, 0b10001, 0b11110]),
    ('E', [0b11111, 0b10000, 0b11110, 0b10000, 0b11111]),
    ('F', [0b11111, 0b10000, 0b11110, 0b10000, 0b10000]),
    ('G', [0b01111, 0b10000, 0b10011, 0b10001, 0b01111]),
    ('H', [0b10001, 0b10001, 0b11111, 0b10001, 0b10001]),
    ('I', [0b01110, 0b00100, 0b00100, 0b00100, 0b01110]),
    ('J', [0b00111, 0b00010, 0b00010, 0b10010, 0b01100]),
    ('K', [0b10010, 0b10100, 0b11000, 0b10100, 0b10010]),
    ('L', [0b10000, 0b10000, 0b10000, 0b10000, 0b11111]),
    ('M', [0b10001, 0b11011, 0b10101, 0b10001, 0b10001]),
    ('N', [0b10001, 0b11001, 0b10101, 0b10011, 0b10001]),
    ('O', [0b01110, 0b10001, 0b10001, 0b10001, 0b01110]),
    ('P', [0b11110, 0b10001, 0b11110, 0b10000, 0b10000]),
    ('Q', [0b01110, 0b10001, 0b10101, 0b10010, 0b01101]),
    ('R', [0b11110, 0b10001, 0b11110, 0b10010, 0b10001]),
    ('S', [0b01111, 0b10000, 0b01110, 0b00001, 0b11110]),
    ('T', [0b11111, 0b00100, 0b00100, 0b00100, 0b00100]),
    ('U', [0b10001, 0b10001, 0b10001, 0b10001, 0b01110]),
    ('V', [0b10001, 0b10001, 0b10001, 0b01010, 0b00100]),
    ('W', [0b10001, 0b10001, 0b10101, 0b11011, 0b10001]),
    ('X', [0b10001, 0b01010, 0b00100, 0b01010, 0b10001]),
    ('Y', [0b10001, 0b01010, 0b00100, 0b00100, 0b00100]),
    ('Z', [0b11111, 0b00010, 0b00100, 0b01000, 0b11111]),
    ('0', [0b01110, 0b10011, 0b10101, 0b11001, 0b01110]),
    ('1', [0b00100, 0b01100, 0b00100, 0b00100, 0b01110]),
    ('2', [0b11110, 0b00001, 0b01110, 0b10000, 0b11111]),
    ('3', [0b11110, 0b00001, 0b01110, 0b00001, 0b11110]),
    ('4', [0b10010, 0b10010, 0b11111, 0b00010, 0b00010]),
    ('5', [0b11111, 0b10000, 0b11110, 0b00001, 0b11110]),
    ('6', [0b01110, 0b10000, 0b11110, 0b10001, 0b01110]),
    ('7', [0b11111, 0b00001, 0b00010, 0b00100, 0b00100]),
    ('8', [0b01110, 0b10001, 0b01110, 0b10001, 0b01110]),
    ('9', [0b01110, 0b10001, 0b01111, 0b00001, 0b01110]),
];
/// Columns of a letter: a dot is two wide, as it is high.
const WIDTH: usize = 10;
const GAP: &str = "   ";

/// The lines of a text in large letters; none if one is not known, or a terminal of `width` columns has no room.
pub(super) fn large(text: &str, width: usize) -> Option<String> {
    let letters: Option<Vec<_>> = text.chars().map(rows).collect();
    let letters = letters.filter(|letters| letters.len() * (WIDTH + GAP.len()) <= width)?;
    let dot = |row: u8, place: u8| if row >> place & 1 == 1 { "██" } else { "  " };
    let line = |place: usize| {
        let shown = |rows: &[u8; 5]| -> String {
            (0..5).rev().map(|column| dot(rows[place], column)).collect()
        };
        let line: String = letters.iter().map(|rows| GAP.to_owned() + &shown(rows)).collect();
        line.trim_end().to_owned() + "\n"
    };
    Some((0..5).map(line).collect())
}

fn rows(letter: char) -> Option<[u8; 5]> {
    LETTERS.iter().find(|(known, _)| *known == letter).map(|(_, rows)| *rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_five_lines() {
        let expected = [
            "   ██    ██     ██████████",
            "   ██  ██             ██",
            "   ████             ██",
            "   ██  ██         ██",
            "   ██    ██     ██████████",
        ];
        let shown = large("KZ", 80).unwrap();
        assert_eq!(shown.lines().collect::<Vec<_>>(), expected, "{shown}");
    }

    #[test]
    fn what_does_not_fit_or_is_not_known_is_none() {
        assert!(large("K7QX", 52).is_some());
        assert_eq!(large("K7QX", 51), None);
        assert_eq!(large("k7qx", 80), None);
    }

    #[test]
    fn no_two_letters_look_the_same() {
        for (place, (letter, rows)) in LETTERS.iter().enumerate() {
            let same = LETTERS[..place].iter().find(|(_, other)| other == rows);
            assert_eq!(same, None, "{letter}");
        }
    }
}
