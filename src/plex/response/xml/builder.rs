//! JSON as it grows, event by event, in one buffer.

use quick_xml::events::{BytesStart, Event};

use super::MAX_DEPTH;
use super::text::{self, Place};

/// The JSON so far, and what must be known of the elements that are still open.
///
/// Children of one tag that stand side by side are a run: `"tag":[{...},{...}]` is written as it comes. Where a tag
/// comes back after another one, its runs are brought together when their parent ends.
pub(crate) struct Builder {
    out: Vec<u8>,
    open: Vec<Element>,
    /// Attributes of the open elements; those of one element are sorted by name.
    names: Vec<Name>,
    /// Runs of the open elements: where their tag stands in `out`. Four bytes, or small elements would cost more
    /// here than there.
    runs: Vec<u32>,
    /// Own text of the open elements: the inside of JSON strings.
    text: Vec<u8>,
    /// Where the text since the last tag begins.
    piece: usize,
    /// Whether that text is white space so far.
    blank: bool,
}

/// An open element: where its share of the builder's stacks begins.
#[derive(Clone, Copy)]
struct Element {
    /// In `out`, after the brace.
    inner: usize,
    names: usize,
    runs: usize,
    text: usize,
}

/// Where an attribute's name stands in `out`.
#[derive(Clone, Copy)]
struct Name {
    start: u32,
    length: u32,
}

impl Name {
    fn of(self, out: &[u8]) -> &[u8] {
        &out[self.start as usize..][..self.length as usize]
    }
}

type Step = Result<(), &'static str>;

impl Builder {
    /// A builder for a document of `length` bytes.
    pub(crate) fn new(length: usize) -> Self {
        Self {
            out: Vec::with_capacity(length + length / 4),
            open: Vec::new(),
            names: Vec::new(),
            runs: Vec::new(),
            text: Vec::new(),
            piece: 0,
            blank: true,
        }
    }

    /// Takes the next event.
    ///
    /// # Errors
    ///
    /// What is wrong with the document.
    pub(crate) fn take(&mut self, event: Event<'_>) -> Step {
        match event {
            Event::Start(tag) => self.start(&tag),
            Event::Empty(tag) => self.start(&tag).map(|()| self.end()),
            Event::End(_) => {
                self.end();
                Ok(())
            }
            Event::Text(raw) => {
                self.blank &= text::push(&mut self.text, &raw, Place::Text);
                self.inside()
            }
            Event::CData(raw) => {
                self.blank &= text::push(&mut self.text, &raw, Place::Cdata);
                self.inside()
            }
            Event::GeneralRef(name) => {
                self.blank &= text::push_reference(&mut self.text, &name);
                self.inside()
            }
            Event::Comment(_) | Event::PI(_) | Event::Decl(_) | Event::DocType(_) | Event::Eof => {
                Ok(())
            }
        }
    }

    /// The JSON text.
    ///
    /// # Errors
    ///
    /// The document is not whole.
    pub(crate) fn finish(mut self) -> Result<Vec<u8>, &'static str> {
        if !self.open.is_empty() {
            return Err("an element is not closed");
        }
        if self.out.is_empty() {
            return Err("there is no element");
        }
        self.out.push(b'}');
        Ok(self.out)
    }

    fn start(&mut self, tag: &BytesStart<'_>) -> Step {
        self.end_piece();
        if self.open.len() == MAX_DEPTH {
            return Err("elements are nested too deep");
        }
        let name = tag.name();
        let name = text::checked_name(name.as_ref())?;
        match self.open.last() {
            Some(&parent) => self.child(parent, name)?,
            None if self.out.is_empty() => self.push(&[b"{\"", name, b"\":"]),
            None => return Err("there is a second root element"),
        }
        self.out.push(b'{');
        self.open.push(Element {
            inner: self.out.len(),
            names: self.names.len(),
            runs: self.runs.len(),
            text: self.text.len(),
        });
        self.attributes(tag)
    }

    /// Writes what stands before a child's object: a comma within a run, else the head of a new one.
    fn child(&mut self, parent: Element, tag: &[u8]) -> Step {
        if let Some(&last) = self.runs[parent.runs..].last() {
            if tag_at(&self.out, last) == tag {
                self.out.push(b',');
                return Ok(());
            }
            self.out.push(b']');
        }
        self.comma(parent);
        let taken = tag == b"_text" || self.has_attribute(parent, tag);
        self.runs.push(place(self.out.len() + 1)?);
        self.push(&[b"\"", tag, if taken { b"[]\":[" } else { b"\":[" }]);
        Ok(())
    }

    fn attributes(&mut self, tag: &BytesStart<'_>) -> Step {
        let first = self.names.len();
        for attribute in tag.attributes().with_checks(false) {
            let attribute = attribute.map_err(|_| "an attribute is not `name=\"value\"`")?;
            let name = text::checked_name(attribute.key.as_ref())?;
            if self.names.len() > first {
                self.out.push(b',');
            }
            self.names.push(Name { start: place(self.out.len() + 1)?, length: place(name.len())? });
            self.push(&[b"\"", name, b"\":\""]);
            text::push(&mut self.out, &attribute.value, Place::Attribute);
            self.out.push(b'"');
        }
        // the library would look for a name among all before it: hours, for a million attributes
        let Self { out, names, .. } = self;
        names[first..].sort_unstable_by(|a, b| a.of(out).cmp(b.of(out)));
        match names[first..].windows(2).any(|pair| pair[0].of(out) == pair[1].of(out)) {
            true => Err("an element has an attribute twice"),
            false => Ok(()),
        }
    }

    fn end(&mut self) {
        self.end_piece();
        let Some(element) = self.open.pop() else { return };
        if self.runs.len() > element.runs {
            self.out.push(b']');
            bring_together(&mut self.out, &self.runs[element.runs..]);
            self.runs.truncate(element.runs);
        }
        if self.text.len() > element.text {
            self.comma(element);
            let taken = self.has_attribute(element, b"_text");
            self.push(&[if taken { b"\"#text\":\"" } else { b"\"_text\":\"" }]);
            self.out.extend_from_slice(&self.text[element.text..]);
            self.out.push(b'"');
            self.text.truncate(element.text);
        }
        self.piece = self.text.len();
        self.names.truncate(element.names);
        self.out.push(b'}');
    }

    /// Drops the text since the last tag when it is white space: indentation.
    fn end_piece(&mut self) {
        if self.blank {
            self.text.truncate(self.piece);
        }
        self.piece = self.text.len();
        self.blank = true;
    }

    fn inside(&self) -> Step {
        match self.open.is_empty() && !self.blank {
            true => Err("there is text outside the root element"),
            false => Ok(()),
        }
    }

    fn comma(&mut self, element: Element) {
        if self.out.len() > element.inner {
            self.out.push(b',');
        }
    }

    fn has_attribute(&self, element: Element, name: &[u8]) -> bool {
        // the element is the innermost one, so the names above its base are its own
        self.names[element.names..].binary_search_by(|known| known.of(&self.out).cmp(name)).is_ok()
    }

    fn push(&mut self, parts: &[&[u8]]) {
        parts.iter().for_each(|part| self.out.extend_from_slice(part));
    }
}

fn place(place: usize) -> Result<u32, &'static str> {
    u32::try_from(place).map_err(|_| "the document is larger than 4 GiB")
}

/// The tag that stands at `place`. XML names hold neither a quote nor a bracket.
fn tag_at(out: &[u8], place: u32) -> &[u8] {
    let rest = &out[place as usize..];
    let end = rest.iter().position(|byte| matches!(byte, b'"' | b'['));
    &rest[..end.unwrap_or(rest.len())]
}

/// Sorts `runs`, which reach to the end of `out`, so that each tag stands once, where it stood first.
///
/// A tag that comes back is rare: Plex sends it where folders and items share a listing.
fn bring_together(out: &mut Vec<u8>, runs: &[u32]) {
    if runs.len() < 3 {
        return; // neighbours have different tags
    }
    let tag = |run: usize| tag_at(out, runs[run]);
    let mut order: Vec<usize> = (0..runs.len()).collect();
    order.sort_by(|&a, &b| tag(a).cmp(tag(b)));
    let mut first = order.clone();
    for same in order.chunk_by(|&a, &b| tag(a) == tag(b)) {
        same.iter().for_each(|&run| first[run] = same[0]);
    }
    if first.iter().enumerate().all(|(run, &first)| run == first) {
        return;
    }
    order.sort_unstable_by_key(|&run| (first[run], run));
    let start = runs[0] as usize - 1;
    let mut sorted = Vec::with_capacity(out.len() - start);
    for &run in &order {
        let head = runs[run] as usize - 1;
        let entries = head + 1 + tag(run).len() + 3;
        let entries = if out[entries - 3] == b'[' { entries + 2 } else { entries };
        let end = runs.get(run + 1).map_or(out.len(), |&next| next as usize - 2);
        if first[run] == run {
            sorted.extend_from_slice(if sorted.is_empty() { b"" } else { b"]," });
            sorted.extend_from_slice(&out[head..end - 1]);
        } else {
            sorted.push(b',');
            sorted.extend_from_slice(&out[entries..end - 1]);
        }
    }
    sorted.push(b']');
    out.truncate(start);
    out.extend_from_slice(&sorted);
}
