//! A message's declaration as data, generated beside its decode and encode: for whatever must write *any* message
//! (differential tests, fuzzers), and so must not depend on the code that it tests.

/// A struct's fields, in the order of the wire.
#[derive(Debug)]
pub struct Schema {
    pub name: &'static str,
    pub fields: &'static [FieldSchema],
}

#[derive(Debug)]
pub struct FieldSchema {
    pub name: &'static str,
    pub kind: Kind,
    /// Whether a version carries the field.
    pub is_carried: fn(i16) -> bool,
    /// Whether the field may be null in a version; says nothing unless the kind is nullable.
    pub may_be_null: fn(i16) -> bool,
    /// A tagged field's tag.
    pub tag: Option<u32>,
}

/// What stands on the wire for a type.
#[derive(Debug)]
pub enum Kind {
    Bool,
    I8,
    I16,
    U16,
    I32,
    U32,
    I64,
    F64,
    Uuid,
    Text,
    Bytes,
    Array(&'static Kind),
    Struct(&'static Schema),
    Nullable(&'static Kind),
}
