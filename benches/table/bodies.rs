//! Large answers: how long, and how much memory.

use std::fs;
use std::path::Path;

use crate::nginx::Nginx;
use crate::report::{Table, Target};
use crate::stats::{Sample, interleave};
use crate::worker::{Living, command, milliseconds, request, request_with, worker};

const ROUNDS: usize = 7;
const LARGE: usize = 50_000_000;
const XML: usize = 10_000_000;

pub(crate) fn measure(table: &mut Table) {
    let Some(nginx) = Nginx::start() else {
        return table.note("bodies", "skipped: nginx and curl are not installed");
    };
    fs::write(nginx.files.join("large.json"), json(LARGE)).unwrap();
    fs::write(nginx.files.join("large.jpg"), noise(LARGE)).unwrap();
    fs::write(nginx.files.join("large.xml"), xml(XML)).unwrap();
    let data = tempfile::tempdir().unwrap();
    large_json(table, &nginx, data.path());
    image(table, &nginx, data.path());
    xml_to_json(table, &nginx, data.path());
    shapes(table, &nginx, data.path());
}

/// JSON of one kind of byte: what it costs must grow with its length and no faster.
fn shapes(table: &mut Table, nginx: &Nginx, data: &Path) {
    const MIB: usize = 1 << 20;
    type Shape = (&'static str, fn(usize) -> String);
    let shapes: [Shape; 5] = [
        ("one string", |bytes| format!("\"{}\"", "x".repeat(bytes))),
        ("one number", |bytes| "7".repeat(bytes)),
        ("`\\u0000`", |bytes| format!("\"{}\"", "\\u0000".repeat(bytes / 6))),
        ("white space", |bytes| format!("[{}]", " ".repeat(bytes))),
        ("brackets", |bytes| "[".repeat(bytes / 2) + &"]".repeat(bytes / 2)),
    ];
    let line = |size: usize| {
        request_with(&format!("/files/shape{size}.json"), r#","max_bytes":100000000"#)
    };
    for (name, shape) in shapes {
        for size in [16, 64] {
            fs::write(nginx.files.join(format!("shape{size}.json")), shape(size * MIB)).unwrap();
        }
        let mut worker = Living::start(&mut worker(data, &nginx.http));
        let mut small = Sample::default();
        let mut large = Sample::default();
        for _ in 0..=ROUNDS {
            for (sample, size) in [(&mut small, 16), (&mut large, 64)] {
                sample.push(worker.call_and_forget(&line(size)) * 1e3 / size as f64);
                worker.expect_last(r#""body_encoding":"json""#);
            }
        }
        worker.end();
        let contest = (&large, "16 MiB", &small);
        table.ratio(&format!("64 MiB of {name}"), " ms/MiB", contest, Target::AtMost(1.5));
    }
}

/// From the start of a worker to the reply's last byte, in ms, for a host that keeps nothing; its memory's peak goes to `peaks`, in bodies.
fn fetch(data: &Path, nginx: &Nginx, path: &str, peaks: &mut Sample, encoding: &str) -> f64 {
    let begin = std::time::Instant::now();
    let mut worker = Living::start(&mut worker(data, &nginx.http));
    worker.call_and_forget(&request(path));
    let milliseconds = begin.elapsed().as_secs_f64() * 1e3;
    peaks.push(worker.memory("VmHWM") * 1e6 / LARGE as f64);
    worker.expect_last(&format!(r#""body_encoding":"{encoding}""#));
    worker.end();
    milliseconds
}

fn large_json(table: &mut Table, nginx: &Nginx, data: &Path) {
    let mut peaks = Sample::default();
    let [mine, curl] = interleave(
        ROUNDS,
        [
            Box::new(|| fetch(data, nginx, "/files/large.json", &mut peaks, "json")),
            Box::new(|| {
                let mut command = command("curl");
                command.args(["-sS", "-o", "/dev/null"]);
                command.arg(format!("{}/files/large.json", nginx.http));
                milliseconds(&mut command, "", "")
            }),
        ],
    );
    let contest = (&mine, "curl -o /dev/null", &curl);
    table.ratio("50 MB JSON, spawn to reply", " ms", contest, Target::AtMost(2.5));
    table.absolute("50 MB JSON, peak memory", " bodies", &peaks, Target::AtMost(1.5));
}

fn image(table: &mut Table, nginx: &Nginx, data: &Path) {
    let mut peaks = Sample::default();
    let [mine] = interleave(
        ROUNDS,
        [Box::new(|| fetch(data, nginx, "/files/large.jpg", &mut peaks, "base64"))],
    );
    table.note("50 MB image, spawn to reply", &crate::report::spread(&mine, " ms"));
    table.absolute("50 MB image, peak memory", " bodies", &peaks, Target::AtMost(3.0));
}

fn xml_to_json(table: &mut Table, nginx: &Nginx, data: &Path) {
    let mut worker = Living::start(&mut worker(data, &nginx.http));
    let line = request("/files/large.xml");
    let [seconds] = interleave(ROUNDS, [Box::new(|| worker.call(&line))]);
    worker.expect_last(r#""body_encoding":"xml""#);
    worker.end();
    let rate = seconds.map(|time| XML as f64 / 1e6 / time);
    table.absolute("10 MB XML to JSON, whole call", " MB/s", &rate, Target::AtLeast(100.0));
}

/// A listing such as Plex's, of about this many bytes.
pub(crate) fn json(bytes: usize) -> String {
    let entry = |number| {
        format!(
            r#"{{"ratingKey":"{number}","key":"/library/metadata/{number}","type":"movie","title":"Entry {number}","summary":"Somebody goes somewhere, \"far away\", and comes home.","rating":7.5,"year":1999,"addedAt":1700000000,"duration":5400000}},"#
        )
    };
    let mut text = grown(r#"{"MediaContainer":{"size":1,"Metadata":["#, bytes, entry);
    text.pop();
    text + "]}}"
}

fn xml(bytes: usize) -> String {
    let entry = |number| {
        format!(
            r#"<Video ratingKey="{number}" key="/library/metadata/{number}" type="movie" title="Entry {number}" summary="Somebody goes somewhere, &quot;far away&quot;, and comes home." rating="7.5" year="1999"><Media id="{number}" duration="5400000"/></Video>"#
        )
    };
    let begin = r#"<?xml version="1.0" encoding="UTF-8"?><MediaContainer size="1">"#;
    grown(begin, bytes, entry) + "</MediaContainer>"
}

fn grown(begin: &str, bytes: usize, entry: impl Fn(usize) -> String) -> String {
    let mut text = begin.to_owned();
    let mut number = 1;
    while text.len() < bytes {
        text += &entry(number);
        number += 1;
    }
    text
}

/// Bytes that no text holds.
fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    [0xff, 0xd8, 0xff].into_iter().chain((3..bytes).map(|_| next())).collect()
}
