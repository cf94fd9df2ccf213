use super::*;
use proptest::prelude::*;

fn frames(framing: Option<Framing>, max: usize, chunks: &[&[u8]]) -> Vec<String> {
    let mut decoder = Decoder::new(framing, max);
    let mut seen = Vec::new();
    let mut note = |frame: Frame<'_>| {
        seen.push(match frame {
            Frame::Message(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Frame::TooLong(_) => "TOO LONG".to_owned(),
            Frame::BadHeader(_) => "BAD HEADER".to_owned(),
            Frame::Stray => "STRAY".to_owned(),
        });
    };
    for chunk in chunks {
        decoder.feed(chunk);
        while let Some(frame) = decoder.next_frame() {
            note(frame);
        }
    }
    while let Some(frame) = decoder.next_frame_at_end() {
        note(frame);
    }
    seen
}

const TABLE: &[(&[u8], &[&str])] = &[
    (b"", &[]),
    (b"\n \r\n\t\n", &[]),
    (b"{}\n[]\n", &["{}", "[]"]),
    (b"{}\r\n[]\r\n", &["{}", "[]"]),
    (b"\xef\xbb\xbf{}\n", &["{}"]),
    (b"{}\n{}", &["{}", "{}"]),
    (b"12345678901\n{}\n", &["TOO LONG", "{}"]),
    (b"1234567890\n", &["1234567890"]),
    (b"[]\n                    {}\n", &["[]", "{}"]),
    (b"Content-Length: 10\r\n\r\n1234567890", &["1234567890"]),
    (b"1234567890\r\n", &["1234567890"]),
    (b"12345678901", &["TOO LONG"]),
    (b"12345678901234567890\n", &["TOO LONG"]),
    (b"12345678901234567890", &["TOO LONG"]),
    (b"Content-Length: 2\r\n\r\n{}", &["{}"]),
    (b"\xef\xbb\xbf\r\ncontent-LENGTH:2\n\n{}Content-Length: 2\r\n\r\n[]", &["{}", "[]"]),
    (
        b"Content-Type: x\r\nContent-Length: 2\r\n\r\n{}\r\nContent-Length: 3\r\n\r\n[1]",
        &["{}", "[1]"],
    ),
    (b"Content-Length: 11\r\n\r\n12345678901Content-Length: 2\r\n\r\n{}", &["TOO LONG", "{}"]),
    (b"Content-Length: x\r\n\r\n{}Content-Length: 2\r\n\r\n{}", &["BAD HEADER", "{}"]),
    (b"Content-Length: -1\r\n\r\n{}content-length: 2\r\n\r\n{}", &["BAD HEADER", "{}"]),
    (
        b"Content-Type: x\r\n\r\n{}\nContent-Type: x\r\nContent-Length: 2\r\n\r\n{}",
        &["BAD HEADER", "{}"],
    ),
    (b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", &["BAD HEADER"]),
    (b"Content-Length: 99999999999999999999\r\n\r\n", &["BAD HEADER"]),
    // More bytes are announced than the message has: it ends where the next header begins.
    (b"Content-Length: 3\r\n\r\n{}Content-Length: 2\r\n\r\n[]", &["{}", "[]"]),
    (b"Content-Length: 9\r\n\r\n{}\nCont", &["{}\n", "STRAY"]),
    (b"Content-Length: 10\r\n\r\n{}\r\ncontent-Length: 2\r\n\r\n[]", &["{}\r\n", "[]"]),
    // Fewer bytes: the rest of it is skipped.
    (b"Content-Length: 1\r\n\r\n{}Content-Length: 2\r\n\r\n[]", &["{", "STRAY", "[]"]),
    (b"Content-Length: 1\r\n\r\n{\n:x}\nContent-Length: 2\r\n\r\n[]", &["{", "STRAY", "[]"]),
    // What stands between frames.
    (b"Content-Length: 2\r\n\r\n{}\0Content-Length: 2\r\n\r\n[]", &["{}", "[]"]),
    (b"Content-Length: 2\r\n\r\n{}\xef\xbb\xbfContent-Length: 2\r\n\r\n[]", &["{}", "[]"]),
    (b"Content-Length: 2\r\n\r\n{}a log line\nContent-Length: 2\r\n\r\n[]", &["{}", "STRAY", "[]"]),
    (b"Content-Length: 2\r\n\r\n{}a b: c\nContent-Length: 2\r\n\r\n[]", &["{}", "STRAY", "[]"]),
    (b"Content-Length: 2\r\n\r\n{}INFO: c\nContent-Length: 2\r\n\r\n[]", &["{}", "[]"]),
    (b"Content-Length: 2\r\n\r\n{}{\"a\":1}\nContent-Length: 2\r\n\r\n[]", &["{}", "STRAY", "[]"]),
    (b"Content-Length: 2\r\n\r\n{}x\ny\nz\nContent-Length: 2\r\n\r\n[]", &["{}", "STRAY", "[]"]),
    (b"Content-Length: 9\r\n\r\n{}", &["{}"]),
    (b"Content-Length: 9", &["BAD HEADER"]),
    (b"Content", &["Content"]),
    (b"\xef", &["\u{fffd}"]),
    (b"\xef\xbb", &["\u{fffd}"]),
    (b"Contented\n", &["Contented"]),
];

#[test]
fn each_stream_gives_its_frames() {
    for (stream, expected) in TABLE {
        assert_eq!(frames(None, 10, &[stream]), *expected, "{}", String::from_utf8_lossy(stream));
    }
}

#[test]
fn a_cut_at_any_byte_changes_nothing() {
    for (stream, expected) in TABLE {
        for cut in 0..stream.len() {
            let (head, tail) = stream.split_at(cut);
            assert_eq!(frames(None, 10, &[head, tail]), *expected, "cut at {cut}");
        }
        let single: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(frames(None, 10, &single), *expected);
    }
}

#[test]
fn a_whole_message_is_not_held_back() {
    for stream in [b"1\n" as &[u8], b"Content-Length: 1\r\n\r\n1"] {
        let mut decoder = Decoder::new(None, 10);
        decoder.feed(stream);
        assert_eq!(decoder.next_frame(), Some(Frame::Message(b"1")));
    }
}

#[test]
fn a_long_line_in_pieces_comes_whole_and_its_memory_is_given_back() {
    let line = [vec![b'x'; 1_000_000], b"\n".to_vec()].concat();
    let mut decoder = Decoder::new(None, line.len());
    for piece in line.chunks(64 * 1024) {
        assert_eq!(decoder.next_frame(), None);
        decoder.feed(piece);
    }
    let whole = decoder.next_frame();
    assert!(matches!(whole, Some(Frame::Message(message)) if message.len() == 1_000_000));
    decoder.feed(b"1\n");
    assert_eq!(decoder.next_frame(), Some(Frame::Message(b"1")));
    assert!(decoder.buffer.capacity() <= KEPT_CAPACITY);
}

/// Headers in it are not taken for the next block, again and again; what comes behind it is read.
#[test]
fn a_header_block_has_room_for_eight_kilobytes() {
    let streams = |padding: usize| {
        let padding = "x".repeat(padding);
        [
            format!("Content-Length: 2\r\nX: {padding}\r\n\r\n{{}}content-length: 2\n\n[]"),
            format!("X: {padding}\r\nContent-Length: 2\r\n\r\n{{}}content-length: 2\n\n[]"),
        ]
    };
    for size in [1, 7, 1000, 20_000] {
        let frames = |stream: &String| {
            let pieces: Vec<&[u8]> = stream.as_bytes().chunks(size).collect();
            frames(Some(Framing::Headers), 10, &pieces)
        };
        assert_eq!(streams(8_000).each_ref().map(frames), [["{}", "[]"], ["{}", "[]"]], "{size}");
        let [length_first, length_last] = streams(8_192).each_ref().map(frames);
        assert_eq!(length_first, ["BAD HEADER", "[]"], "{size}");
        assert_eq!(length_last, ["BAD HEADER", "{}", "[]"], "{size}");
    }
}

/// How a message was damaged.
#[derive(Debug, Clone)]
enum Damage {
    None,
    /// So many bytes too few announced, and too many.
    Short(usize),
    Long(usize),
    NoLength,
    NoNumber,
    Junk(&'static str),
}

fn damages() -> impl Strategy<Value = Damage> {
    let junk = [
        "\0",
        "\u{feff}",
        "a log line\n",
        "12:00 started: ok\n",
        "{\"jsonrpc\":\"2.0\"}\n",
        "}\n",
        "\r\n\r\n",
    ];
    prop_oneof![
        3 => Just(Damage::None),
        1 => (1usize..12).prop_map(Damage::Short),
        1 => (1usize..60).prop_map(Damage::Long),
        1 => Just(Damage::NoLength),
        1 => Just(Damage::NoNumber),
        2 => proptest::sample::select(junk.to_vec()).prop_map(Damage::Junk),
    ]
}

fn damaged(body: &str, damage: &Damage) -> String {
    let framed = |length: usize| format!("Content-Length: {length}\r\n\r\n{body}");
    match damage {
        Damage::None => framed(body.len()),
        Damage::Short(by) => framed(body.len() - by),
        Damage::Long(by) => framed(body.len() + by),
        Damage::NoLength => format!("Content-Type: x\r\n\r\n{body}"),
        Damage::NoNumber => format!("Content-Length: many\r\n\r\n{body}"),
        Damage::Junk(junk) => format!("{}{junk}", framed(body.len())),
    }
}

proptest! {
    /// A damaged message costs itself alone, wherever it stands; junk between frames costs none.
    #[test]
    fn all_good_messages_are_read(messages in proptest::collection::vec(damages(), 1..12), size in 1usize..90) {
        let body = |number: usize| format!("{{\"jsonrpc\":\"2.0\",\"id\":{number},\"text\":\"Content-Length: 5 {{}}\"}}");
        let stream: String =
            messages.iter().enumerate().map(|(number, damage)| damaged(&body(number), damage)).collect();
        let pieces: Vec<&[u8]> = stream.as_bytes().chunks(size).collect();
        let seen = frames(Some(Framing::Headers), 1000, &pieces);
        for (number, damage) in messages.iter().enumerate() {
            if matches!(damage, Damage::None | Damage::Long(_) | Damage::Junk(_)) {
                let read = seen.iter().filter(|frame| frame.trim() == body(number)).count();
                prop_assert_eq!(read, 1, "message {} of {:?}: {:?}", number, stream, seen);
            }
        }
    }
}

#[test]
fn an_endless_line_takes_no_memory() {
    let mut decoder = Decoder::new(None, 1000);
    let mut too_long = 0;
    for _ in 0..1000 {
        decoder.feed(&[b'x'; 64 * 1024]);
        while decoder.next_frame().is_some() {
            too_long += 1;
        }
        assert!(decoder.buffer.capacity() <= 256 * 1024);
    }
    assert_eq!(too_long, 1);
}

#[test]
fn an_endless_header_block_is_refused_once() {
    let mut decoder = Decoder::new(Some(Framing::Headers), 1000);
    let mut refused = 0;
    for _ in 0..1000 {
        decoder.feed(&[b'x'; 4 * 1024]);
        while decoder.next_frame().is_some() {
            refused += 1;
        }
        assert!(decoder.buffer.capacity() <= 256 * 1024);
    }
    assert_eq!(refused, 1);
}

proptest! {
    #[test]
    fn any_bytes_in_any_chunks_give_the_same_frames(
        stream in proptest::collection::vec(
            prop_oneof![Just(b'\n'), Just(b'\r'), Just(b'{'), Just(b'C'), Just(b':'), any::<u8>()], 0..200),
        size in 1usize..50,
    ) {
        let chunks: Vec<&[u8]> = stream.chunks(size).collect();
        prop_assert_eq!(frames(None, 20, &[&stream]), frames(None, 20, &chunks));
    }
}
