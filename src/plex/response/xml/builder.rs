//! JSON as it grows, event by event. An element that has ended is its text; while it is open, its children are in
//! groups, one for each tag, in the order in which the tags appeared first.

use std::collections::HashMap;
use std::ops::Range;

use quick_xml::events::{BytesStart, Event};

use super::text::{self, Place};
use super::{MAX_DEPTH, buffer};

/// As many groups are looked through one by one.
const FEW: usize = 8;

/// The JSON so far.
#[derive(Default)]
pub(crate) struct Builder {
    open: Vec<Element>,
    /// The root element, once it has ended.
    root: Option<Vec<u8>>,
}

/// An open element.
struct Element {
    tag: Vec<u8>,
    /// Its object so far: the brace and the attributes.
    json: Vec<u8>,
    /// Places of the attributes' names in `json`, sorted by name.
    names: Vec<Range<usize>>,
    groups: Vec<Group>,
    /// The place of each group, once there are more than [`FEW`].
    places: HashMap<Vec<u8>, usize>,
    /// Its own text: the inside of a JSON string.
    text: Vec<u8>,
    /// Where the text since the last tag begins.
    piece: usize,
    /// Whether that text is white space so far.
    blank: bool,
}

/// Children of one tag.
struct Group {
    tag: Vec<u8>,
    /// Their objects, joined by commas.
    entries: Vec<u8>,
}

type Taken = Result<(), &'static str>;

impl Builder {
    /// Takes the next event.
    ///
    /// # Errors
    ///
    /// What is wrong with the document.
    pub(crate) fn take(&mut self, event: Event<'_>) -> Taken {
        match event {
            Event::Start(tag) => self.start(&tag),
            Event::Empty(tag) => {
                self.start(&tag)?;
                self.end();
                Ok(())
            }
            Event::End(_) => {
                self.end();
                Ok(())
            }
            Event::Text(raw) => self.text(|out| text::push(out, &raw, Place::Text)),
            Event::CData(raw) => self.text(|out| text::push(out, &raw, Place::Cdata)),
            Event::GeneralRef(name) => self.text(|out| text::push_reference(out, &name)),
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
    pub(crate) fn finish(self) -> Result<Vec<u8>, &'static str> {
        match self.root {
            _ if !self.open.is_empty() => Err("an element is not closed"),
            None => Err("there is no element"),
            Some(root) => Ok(root),
        }
    }

    fn start(&mut self, tag: &BytesStart<'_>) -> Taken {
        if let Some(parent) = self.open.last_mut() {
            parent.end_piece();
        }
        if self.open.len() == MAX_DEPTH {
            return Err("elements are nested too deep");
        }
        if self.root.is_some() {
            return Err("there is a second root element");
        }
        self.open.push(Element::new(tag)?);
        Ok(())
    }

    fn end(&mut self) {
        let Some(element) = self.open.pop() else { return };
        let (tag, json) = element.end();
        match self.open.last_mut() {
            Some(parent) => parent.add(tag, json),
            None => {
                let mut root = joined([b"{\"", tag.as_slice(), b"\":"].concat(), json);
                root.push(b'}');
                self.root = Some(root);
            }
        }
    }

    /// Adds to the text of the innermost element; `push` says whether it was white space.
    fn text(&mut self, push: impl FnOnce(&mut Vec<u8>) -> bool) -> Taken {
        match self.open.last_mut() {
            Some(element) => {
                element.blank &= push(&mut element.text);
                Ok(())
            }
            None if push(&mut Vec::new()) => Ok(()),
            None => Err("there is text outside the root element"),
        }
    }
}

impl Element {
    fn new(start: &BytesStart<'_>) -> Result<Self, &'static str> {
        let tag = text::checked_name(start.name().as_ref())?.to_vec();
        let (mut json, mut names) = (Vec::with_capacity(start.len() + 32), Vec::new());
        json.push(b'{');
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.map_err(|_| "an attribute is not `name=\"value\"`")?;
            let name = text::checked_name(attribute.key.as_ref())?;
            comma(&mut json);
            names.push(json.len() + 1..json.len() + 1 + name.len());
            push(&mut json, &[b"\"", name, b"\":\""]);
            text::push(&mut json, &attribute.value, Place::Attribute);
            json.push(b'"');
        }
        // the library would look for a name among all before it: hours, for a million attributes
        names.sort_unstable_by(|a, b| json[a.clone()].cmp(&json[b.clone()]));
        if names.windows(2).any(|pair| json[pair[0].clone()] == json[pair[1].clone()]) {
            return Err("an element has an attribute twice");
        }
        let (groups, places, text) = Default::default();
        Ok(Self { tag, json, names, groups, places, text, piece: 0, blank: true })
    }

    /// Adds a child that has ended.
    fn add(&mut self, tag: Vec<u8>, json: Vec<u8>) {
        let place = match self.groups.len() {
            0..=FEW => self.groups.iter().position(|group| group.tag == tag),
            _ => self.places.get(&tag).copied(),
        };
        if let Some(group) = place.and_then(|place| self.groups.get_mut(place)) {
            return push(&mut group.entries, &[b",", &json]);
        }
        self.groups.push(Group { tag, entries: json });
        if self.groups.len() > FEW {
            let groups = self.groups.iter().enumerate().skip(self.places.len());
            self.places.extend(groups.map(|(place, group)| (group.tag.clone(), place)));
        }
    }

    /// The tag, and the whole object.
    fn end(mut self) -> (Vec<u8>, Vec<u8>) {
        self.end_piece();
        let Self { tag: own_tag, mut json, names, groups, text, .. } = self;
        let has_attribute = |json: &[u8], name: &[u8]| {
            names.binary_search_by(|known| json[known.clone()].cmp(name)).is_ok()
        };
        for Group { tag, entries } in groups {
            comma(&mut json);
            let taken = tag == b"_text" || has_attribute(&json, &tag);
            push(&mut json, &[b"\"", &tag, if taken { b"[]\":[" } else { b"\":[" }]);
            json = joined(json, entries);
            json.push(b']');
        }
        if !text.is_empty() {
            comma(&mut json);
            let taken = has_attribute(&json, b"_text");
            let name: &[u8] = if taken { b"\"#text\":\"" } else { b"\"_text\":\"" };
            push(&mut json, &[name, &text, b"\""]);
        }
        json.push(b'}');
        (own_tag, json)
    }

    /// Drops the text since the last tag when it is white space: indentation.
    fn end_piece(&mut self) {
        if self.blank {
            self.text.truncate(self.piece);
        }
        self.piece = self.text.len();
        self.blank = true;
    }
}

fn comma(object: &mut Vec<u8>) {
    if object.len() > 1 {
        object.push(b',');
    }
}

/// One behind the other, in the larger one's memory.
fn joined(mut front: Vec<u8>, mut back: Vec<u8>) -> Vec<u8> {
    if front.len() < back.len() {
        back.splice(0..0, front);
        return back;
    }
    front.append(&mut back);
    front
}

fn push(out: &mut Vec<u8>, parts: &[&[u8]]) {
    buffer::reserve(out, parts.iter().map(|part| part.len()).sum());
    parts.iter().for_each(|part| out.extend_from_slice(part));
}
