//! Any valid message of a schema, written by reading the schema alone: an encoder that shares nothing with the one
//! it tests. Values are arbitrary, nulls and tagged fields included.

use protocol::codec::{FieldSchema, Kind, Layout, Schema};

use super::entropy::Entropy;

/// What a message is to hold.
#[derive(Clone, Copy, PartialEq)]
enum Fill {
    Any,
    /// No field at its default: encoders leave out a tagged field that is.
    Set,
}

/// Unknown tags stand behind all known ones.
const UNKNOWN_TAG_MIN: u32 = 100;

/// The body of a message. With `unknown_tags`, some sections of tagged fields have more than we know.
pub fn message(schema: &Schema, layout: Layout, unknown_tags: bool, entropy: &mut Entropy<'_>) -> Vec<u8> {
    let mut sample = Sample { layout, unknown_tags, entropy, out: Vec::new() };
    sample.structure(schema, Fill::Any);
    sample.out
}

struct Sample<'a, 'b> {
    layout: Layout,
    unknown_tags: bool,
    entropy: &'a mut Entropy<'b>,
    out: Vec<u8>,
}

impl Sample<'_, '_> {
    fn structure(&mut self, schema: &Schema, fill: Fill) {
        let carried = |field: &&FieldSchema| (field.is_carried)(self.layout.version);
        let (tagged, plain): (Vec<_>, Vec<_>) =
            schema.fields.iter().filter(carried).partition(|field| field.tag.is_some());
        for field in plain {
            self.field(field, fill);
        }
        if self.layout.flexible {
            self.tagged(tagged);
        }
    }

    fn field(&mut self, field: &FieldSchema, fill: Fill) {
        let nullable = (field.may_be_null)(self.layout.version);
        match &field.kind {
            Kind::Nullable(kind) if nullable && fill == Fill::Any && self.entropy.one_in(4) => {
                self.null(kind)
            }
            Kind::Nullable(kind) => {
                if matches!(**kind, Kind::Struct(_)) {
                    self.out.push(1);
                }
                self.value(kind, fill);
            }
            kind => self.value(kind, fill),
        }
    }

    fn tagged(&mut self, mut known: Vec<&FieldSchema>) {
        known.retain(|_| !self.entropy.one_in(3));
        known.sort_by_key(|field| field.tag);
        let unknown = if self.unknown_tags { self.entropy.below(3) as u32 } else { 0 };
        self.uvarint(known.len() as u32 + unknown);
        for field in known {
            let body = self.apart(|inner| inner.field(field, Fill::Set));
            self.tag(field.tag.unwrap_or_default(), &body);
        }
        for at in 0..unknown {
            let body = self.raw(20);
            self.tag(UNKNOWN_TAG_MIN + 7 * at, &body);
        }
    }

    fn tag(&mut self, tag: u32, body: &[u8]) {
        self.uvarint(tag);
        self.uvarint(body.len() as u32);
        self.out.extend_from_slice(body);
    }

    fn null(&mut self, kind: &Kind) {
        match (kind, self.layout.flexible) {
            (Kind::Struct(_), _) => self.out.push(0xff),
            (_, true) => self.out.push(0),
            (Kind::Text, false) => self.out.extend((-1i16).to_be_bytes()),
            (_, false) => self.out.extend((-1i32).to_be_bytes()),
        }
    }

    fn value(&mut self, kind: &Kind, fill: Fill) {
        match kind {
            Kind::Bool => {
                let value = fill == Fill::Set || self.entropy.one_in(2);
                self.out.push(u8::from(value));
            }
            Kind::I8 => self.integer(1, fill),
            Kind::I16 | Kind::U16 => self.integer(2, fill),
            Kind::I32 | Kind::U32 => self.integer(4, fill),
            Kind::I64 => self.integer(8, fill),
            Kind::F64 => self.out.extend((self.entropy.below(1000) as f64 / 8.0 + 1.0).to_be_bytes()),
            Kind::Uuid => {
                self.integer(8, fill);
                self.integer(8, fill);
            }
            Kind::Text => {
                let text = self.text(fill);
                self.length(text.len(), true);
                self.out.extend_from_slice(text.as_bytes());
            }
            Kind::Bytes => {
                // Long enough, at times, for the encoder to keep them as a piece of their own.
                let max = if self.entropy.one_in(4) { 1500 } else { 30 };
                let mut bytes = self.raw(max);
                if fill == Fill::Set {
                    bytes.push(1);
                }
                self.length(bytes.len(), false);
                self.out.extend_from_slice(&bytes);
            }
            Kind::Array(element) => {
                let count = self.entropy.below(4).max(usize::from(fill == Fill::Set));
                self.length(count, false);
                (0..count).for_each(|_| self.value(element, Fill::Any));
            }
            Kind::Struct(schema) => self.structure(schema, fill),
            Kind::Nullable(_) => unreachable!("null is a property of a field, not of an element"),
        }
    }

    /// Small numbers, extremes and anything else; when set, none of the defaults: 0, 1, -1, the extremes.
    fn integer(&mut self, size: usize, fill: Fill) {
        let mut bytes = match self.entropy.below(4) {
            0 => (self.entropy.below(5) as u64).wrapping_sub(2),
            1 => 1 << (8 * size - 1),
            2 => (1 << (8 * size - 1)) - 1,
            _ => self.entropy.u64(),
        }
        .to_be_bytes();
        let field = &mut bytes[8 - size..];
        if fill == Fill::Set {
            field[0] &= 0x3f;
            field[size - 1] |= 2;
        }
        self.out.extend_from_slice(field);
    }

    fn text(&mut self, fill: Fill) -> String {
        let max = if self.entropy.one_in(8) { 200 } else { 8 };
        let length = self.entropy.below(max).max(usize::from(fill == Fill::Set));
        const LETTERS: [char; 12] = ['a', 'b', 'z', '-', '.', '0', '"', '\\', 'é', '語', '😀', '\0'];
        (0..length).map(|_| LETTERS[self.entropy.below(LETTERS.len())]).collect()
    }

    fn raw(&mut self, max: usize) -> Vec<u8> {
        let length = self.entropy.u64() as usize % max;
        (0..length).map(|at| (at * 31) as u8 ^ self.out.len() as u8).collect()
    }

    fn length(&mut self, length: usize, text: bool) {
        match (self.layout.flexible, text) {
            (true, _) => self.uvarint(length as u32 + 1),
            (false, true) => self.out.extend((length as i16).to_be_bytes()),
            (false, false) => self.out.extend((length as i32).to_be_bytes()),
        }
    }

    fn uvarint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.out.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.out.push(value as u8);
    }

    /// What `write` writes, on its own.
    fn apart(&mut self, write: impl FnOnce(&mut Self)) -> Vec<u8> {
        let before = std::mem::take(&mut self.out);
        write(self);
        std::mem::replace(&mut self.out, before)
    }
}
