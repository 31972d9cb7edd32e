//! YAML text to a tree of values that know their places.
//!
//! The file is data, so of YAML only data is taken: one document of maps, lists and scalars. Anchors, aliases, tags and merge keys
//! are refused: they make a file say more than it shows, and they are the means of the known attacks on YAML readers. Size,
//! count and depth are bounded before anything is built from them.

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};

use crate::limits::{DEPTH_MAX, FILE_BYTES_MAX, VALUES_MAX};
use crate::located::Position;
use crate::problem::Problems;

#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) position: Position,
    pub(crate) kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Null,
    Scalar(String),
    List(Vec<Tree>),
    Map(Vec<Entry>),
    /// Already reported: whoever reads it says nothing more.
    Refused,
}

#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) position: Position,
    pub(crate) value: Tree,
}

const RULE: &str = "yaml";

/// The one document of a text; `None` when the text is not YAML.
pub(crate) fn read(text: &str, problems: &mut Problems) -> Option<Tree> {
    if text.len() > FILE_BYTES_MAX {
        let message = format!("the file is longer than {FILE_BYTES_MAX} bytes");
        problems.error(
            RULE,
            Position { line: 1, column: 1 },
            message,
            "split the world into several topologies",
        );
        return None;
    }
    let mut parser = Parser::new_from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    let mut builder = Builder { open: Vec::new(), root: None, values: 0, problems };
    while let Some(event) = parser.next_event() {
        let going_on = match event {
            Ok((event, span)) => builder.take(event, position(&span)),
            Err(error) => {
                builder.not_yaml(text, &error);
                false
            }
        };
        if !going_on {
            return None;
        }
    }
    let Builder { root, problems, .. } = builder;
    if root.is_none() {
        let fix = "write a topology; docs/topology.md begins with a small one";
        problems.error(RULE, Position { line: 1, column: 1 }, "the file is empty", fix);
    }
    root
}

struct Builder<'a> {
    open: Vec<Open>,
    root: Option<Tree>,
    values: usize,
    problems: &'a mut Problems,
}

/// A list or map whose end has not come yet.
struct Open {
    position: Position,
    kind: OpenKind,
}

enum OpenKind {
    List(Vec<Tree>),
    Map { entries: Vec<Entry>, key: Option<(String, Position)> },
}

impl Builder<'_> {
    /// False = the rest is not worth reading.
    fn take(&mut self, event: Event<'_>, position: Position) -> bool {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => true,
            Event::DocumentStart(_) => self.only_document(position),
            Event::Alias(_) => {
                let fix = "write the value out; if it is a pattern, put it in quotes: \"*\"";
                self.problems.error(RULE, position, "an alias (`*...`) is not taken here", fix);
                self.add(Tree { position, kind: Kind::Refused })
            }
            Event::Scalar(text, style, anchor, tag) => {
                let kind = match self.plain(position, anchor, tag.is_some()) {
                    false => Kind::Refused,
                    true if style == ScalarStyle::Plain && matches!(&*text, "" | "~" | "null") => Kind::Null,
                    true => Kind::Scalar(text.into_owned()),
                };
                self.add(Tree { position, kind })
            }
            Event::SequenceStart(anchor, tag) => {
                self.plain(position, anchor, tag.is_some());
                self.start(position, OpenKind::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                self.plain(position, anchor, tag.is_some());
                self.start(position, OpenKind::Map { entries: Vec::new(), key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
        }
    }

    fn only_document(&mut self, position: Position) -> bool {
        if self.root.is_some() {
            let fix = "remove everything from the second `---` on";
            self.problems.error(RULE, position, "the file holds more than one document", fix);
        }
        self.root.is_none()
    }

    fn plain(&mut self, position: Position, anchor: usize, tagged: bool) -> bool {
        if anchor != 0 {
            self.problems.error(
                RULE,
                position,
                "an anchor (`&...`) is not taken here",
                "remove it, and write the value out",
            );
        }
        if tagged {
            self.problems.error(
                RULE,
                position,
                "a tag (`!...`) is not taken here",
                "remove it; a text that begins with `!` needs quotes",
            );
        }
        anchor == 0 && !tagged
    }

    fn start(&mut self, position: Position, kind: OpenKind) -> bool {
        if self.open.len() >= DEPTH_MAX {
            let message = format!("the values are nested deeper than {DEPTH_MAX} levels");
            self.problems.error(
                RULE,
                position,
                message,
                "the format needs six; look for a bracket that was not closed",
            );
            return false;
        }
        self.open.push(Open { position, kind });
        true
    }

    fn end(&mut self) -> bool {
        let Some(Open { position, kind }) = self.open.pop() else { return false };
        let kind = match kind {
            OpenKind::List(items) => Kind::List(items),
            OpenKind::Map { entries, .. } => Kind::Map(entries),
        };
        self.add(Tree { position, kind })
    }

    fn add(&mut self, tree: Tree) -> bool {
        self.values += 1;
        if self.values > VALUES_MAX {
            let message = format!("the file holds more than {VALUES_MAX} values");
            self.problems.error(RULE, tree.position, message, "split the world into several topologies");
            return false;
        }
        match self.open.last_mut().map(|open| &mut open.kind) {
            None => self.root = Some(tree),
            Some(OpenKind::List(items)) => items.push(tree),
            Some(OpenKind::Map { entries, key }) => match key.take() {
                Some((key, position)) => entries.push(Entry { key, position, value: tree }),
                None => *key = Some((self.problems.key_of(&tree), tree.position)),
            },
        }
        true
    }

    fn not_yaml(&mut self, text: &str, error: &ScanError) {
        let marker = error.marker();
        let position = Position { line: marker.line().max(1), column: marker.col() + 1 };
        let line = text.lines().nth(position.line - 1).unwrap_or_default();
        let fix = if line.contains('\t') {
            "indent with spaces: YAML takes no tabs there"
        } else if line.contains('*') || line.contains('&') {
            "put patterns in quotes: \"*\""
        } else {
            "check the indentation, the quotes and the brackets here and on the line before"
        };
        self.problems.error(RULE, position, format!("this is not YAML: {}", error.info()), fix);
    }
}

impl Problems {
    /// A key is one scalar; anything else is reported and becomes a key that matches nothing.
    fn key_of(&mut self, tree: &Tree) -> String {
        match &tree.kind {
            Kind::Scalar(text) => text.clone(),
            Kind::Refused => String::new(),
            Kind::Null | Kind::List(_) | Kind::Map(_) => {
                self.error(RULE, tree.position, "a key must be a word", "write `key: value`");
                String::new()
            }
        }
    }
}

fn position(span: &Span) -> Position {
    Position { line: span.start.line(), column: span.start.col() + 1 }
}
