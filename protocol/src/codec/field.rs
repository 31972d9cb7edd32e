//! How each type of field stands on the wire.

use bytes::Bytes;
use bytestring::ByteString;
use uuid::Uuid;

use super::{DecodeError, Decoder, EncodeError, Encoder, Kind, Layout};
use crate::ErrorCode;

/// A type that a message's field can have.
pub trait Field: Sized {
    const KIND: Kind;

    fn decode(from: &mut Decoder, layout: Layout) -> Result<Self, DecodeError>;
    fn encode(&self, to: &mut Encoder, layout: Layout) -> Result<(), EncodeError>;
}

/// A type whose field can be null: then the field's type is `Option` of it.
pub trait Nullable: Field {
    fn decode_nullable(from: &mut Decoder, layout: Layout) -> Result<Option<Self>, DecodeError>;
    fn encode_nullable(value: Option<&Self>, to: &mut Encoder, layout: Layout) -> Result<(), EncodeError>;
}

impl<T: Nullable> Field for Option<T> {
    const KIND: Kind = Kind::Nullable(&T::KIND);

    fn decode(from: &mut Decoder, layout: Layout) -> Result<Self, DecodeError> {
        T::decode_nullable(from, layout)
    }

    fn encode(&self, to: &mut Encoder, layout: Layout) -> Result<(), EncodeError> {
        T::encode_nullable(self.as_ref(), to, layout)
    }
}

/// Whether a field differs from its default: only then may a version that cannot carry it not be used.
pub(crate) fn is_set<T: PartialEq>(value: &T, default: T) -> bool {
    *value != default
}

macro_rules! fixed {
    ($($type:ty: $method:ident $kind:ident,)*) => {
        $(impl Field for $type {
            const KIND: Kind = Kind::$kind;

            fn decode(from: &mut Decoder, _: Layout) -> Result<Self, DecodeError> {
                from.$method()
            }

            fn encode(&self, to: &mut Encoder, _: Layout) -> Result<(), EncodeError> {
                to.$method(*self);
                Ok(())
            }
        })*
    };
}

fixed! {
    i8: i8 I8,
    i16: i16 I16,
    u16: u16 U16,
    i32: i32 I32,
    u32: u32 U32,
    i64: i64 I64,
    f64: f64 F64,
    Uuid: uuid Uuid,
}

impl Field for bool {
    const KIND: Kind = Kind::Bool;

    fn decode(from: &mut Decoder, _: Layout) -> Result<Self, DecodeError> {
        Ok(from.i8()? != 0)
    }

    fn encode(&self, to: &mut Encoder, _: Layout) -> Result<(), EncodeError> {
        to.i8(i8::from(*self));
        Ok(())
    }
}

impl Field for ErrorCode {
    const KIND: Kind = Kind::I16;

    fn decode(from: &mut Decoder, _: Layout) -> Result<Self, DecodeError> {
        from.i16().map(Self)
    }

    fn encode(&self, to: &mut Encoder, _: Layout) -> Result<(), EncodeError> {
        to.i16(self.0);
        Ok(())
    }
}

/// `Field` for a type with a null form: null is an error where the field is not an `Option`.
macro_rules! never_null {
    () => {
        fn decode(from: &mut Decoder, layout: Layout) -> Result<Self, DecodeError> {
            Self::decode_nullable(from, layout)?.ok_or(DecodeError::NegativeLength(-1))
        }

        fn encode(&self, to: &mut Encoder, layout: Layout) -> Result<(), EncodeError> {
            Self::encode_nullable(Some(self), to, layout)
        }
    };
}

impl Field for ByteString {
    const KIND: Kind = Kind::Text;

    never_null!();
}

impl Nullable for ByteString {
    fn decode_nullable(from: &mut Decoder, layout: Layout) -> Result<Option<Self>, DecodeError> {
        from.text_length(layout.flexible)?.map(|length| from.text(length)).transpose()
    }

    fn encode_nullable(value: Option<&Self>, to: &mut Encoder, layout: Layout) -> Result<(), EncodeError> {
        to.text_length(value.map(|text| text.len()), layout.flexible)?;
        to.raw(value.map_or(&[], |text| text.as_bytes()));
        Ok(())
    }
}

/// Bytes and records alike: opaque, and never copied.
impl Field for Bytes {
    const KIND: Kind = Kind::Bytes;

    never_null!();
}

impl Nullable for Bytes {
    fn decode_nullable(from: &mut Decoder, layout: Layout) -> Result<Option<Self>, DecodeError> {
        from.bytes_length(layout.flexible)?.map(|length| from.slice("bytes", length)).transpose()
    }

    fn encode_nullable(value: Option<&Self>, to: &mut Encoder, layout: Layout) -> Result<(), EncodeError> {
        to.bytes_length(value.map(Bytes::len), layout.flexible)?;
        if let Some(bytes) = value {
            to.shared(bytes);
        }
        Ok(())
    }
}

impl<T: Field> Field for Vec<T> {
    const KIND: Kind = Kind::Array(&T::KIND);

    never_null!();
}

impl<T: Field> Nullable for Vec<T> {
    fn decode_nullable(from: &mut Decoder, layout: Layout) -> Result<Option<Self>, DecodeError> {
        let Some(count) = from.array_count(layout.flexible, size_of::<T>())? else { return Ok(None) };
        let mut elements = Self::with_capacity(count);
        for _ in 0..count {
            elements.push(T::decode(from, layout)?);
        }
        Ok(Some(elements))
    }

    fn encode_nullable(value: Option<&Self>, to: &mut Encoder, layout: Layout) -> Result<(), EncodeError> {
        to.bytes_length(value.map(Vec::len), layout.flexible)?;
        value.into_iter().flatten().try_for_each(|element| element.encode(to, layout))
    }
}
