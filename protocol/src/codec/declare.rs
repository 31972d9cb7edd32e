//! The declarative form of a message, from which struct, defaults, decode and encode are generated.

use std::ops::RangeInclusive;

/// A message's place in the protocol; implemented by [`message!`] for requests and responses.
pub trait Api: super::Field {
    const NAME: &'static str;
    const KEY: i16;
    const VERSIONS: RangeInclusive<i16>;

    fn layout(version: i16) -> super::Layout;

    /// Decodes the body of one frame; bytes left over are an error.
    fn read(body: bytes::Bytes, version: i16) -> Result<Self, super::DecodeError> {
        if !Self::VERSIONS.contains(&version) {
            return Err(super::DecodeError::UnknownVersion { message: Self::NAME, version });
        }
        let mut from = super::Decoder::new(body);
        let message = Self::decode(&mut from, Self::layout(version))?;
        from.finish()?;
        Ok(message)
    }

    /// Like [`Self::read`], but bytes after the message are passed over, as Kafka's own broker does: librdkafka 2.12 sends
    /// three stray ones after a Metadata request (version 13) for all topics.
    fn read_leniently(body: bytes::Bytes, version: i16) -> Result<Self, super::DecodeError> {
        if !Self::VERSIONS.contains(&version) {
            return Err(super::DecodeError::UnknownVersion { message: Self::NAME, version });
        }
        Self::decode(&mut super::Decoder::new(body), Self::layout(version))
    }

    fn write(&self, to: &mut super::Encoder, version: i16) -> Result<(), super::EncodeError> {
        if !Self::VERSIONS.contains(&version) {
            return Err(super::EncodeError::UnknownVersion { message: Self::NAME, version });
        }
        self.encode(to, Self::layout(version))
    }
}

/// Declares a message and the structs inside it.
///
/// ```text
/// message! {
///     /// What it is for.
///     MetadataRequest, key 3, versions 0..=13, flexible 9.. => {
///         /// Null asks for all topics; in version 0 an empty list does.
///         topics: Option<Vec<MetadataRequestTopic>> { 0.., null 1.. },
///         allow_auto_topic_creation: bool { 4.., default true },
///         include_cluster_authorized_operations: bool { 8..=10; ignorable },
///     }
///
///     MetadataRequestTopic {
///         topic_id: Uuid { 10..; ignorable },
///         name: Option<ByteString> { 0.., null 10.. },
///     }
/// }
/// ```
///
/// After a field's type: the versions that carry it (`0..`, `1..=4`), then in this order, each optional:
/// `null RANGE` (versions in which the `Option` may be null; default: those that carry it),
/// `default EXPRESSION` (otherwise `Default::default()`), `tag N` (a tagged field), and after a semicolon `ignorable` (dropped
/// without an error when the version cannot carry it, as in Kafka's message definitions).
macro_rules! message {
    (
        $(#[$doc:meta])*
        $name:ident, key $key:literal, versions $versions:expr, flexible $flexible:expr => $fields:tt
        $($rest:tt)*
    ) => {
        $crate::codec::message! { @struct [$(#[$doc])*] $name $fields }

        impl $crate::codec::Api for $name {
            const NAME: &'static str = stringify!($name);
            const KEY: i16 = $key;
            const VERSIONS: std::ops::RangeInclusive<i16> = $versions;

            fn layout(version: i16) -> $crate::codec::Layout {
                let flexible = std::ops::RangeBounds::contains(&$flexible, &version);
                $crate::codec::Layout { version, flexible }
            }
        }

        $crate::codec::message! { $($rest)* }
    };

    ($(#[$doc:meta])* $name:ident $fields:tt $($rest:tt)*) => {
        $crate::codec::message! { @struct [$(#[$doc])*] $name $fields }
        $crate::codec::message! { $($rest)* }
    };

    () => {};

    (
        @struct [$($doc:tt)*] $name:ident {
            $(
                $(#[$field_doc:meta])*
                $field:ident: $type:ty {
                    $carried:expr
                    $(, null $null:expr)?
                    $(, default $default:expr)?
                    $(, tag $tag:literal)?
                    $(; $ignorable:ident)?
                }
            ),* $(,)?
        }
    ) => {
        $($doc)*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $crate::codec::message!(@default $($default)?),)* }
            }
        }

        impl $crate::codec::Field for $name {
            const KIND: $crate::codec::Kind = $crate::codec::Kind::Struct(&$crate::codec::Schema {
                name: stringify!($name),
                fields: &[$($crate::codec::FieldSchema {
                    name: stringify!($field),
                    kind: <$type as $crate::codec::Field>::KIND,
                    is_carried: |version| std::ops::RangeBounds::contains(&($carried), &version),
                    may_be_null: |version| $crate::codec::message!(@may_be_null version, $($null)?),
                    tag: $crate::codec::message!(@tag $($tag)?),
                }),*],
            });

            #[allow(unused_mut, unused_variables, clippy::needless_update)]
            fn decode(
                from: &mut $crate::codec::Decoder,
                layout: $crate::codec::Layout,
            ) -> Result<Self, $crate::codec::DecodeError> {
                let mut message = Self::default();
                $($crate::codec::message! {
                    @decode from, layout, message, $field, [$carried], [$($null)?], [$($tag)?]
                })*
                if layout.flexible {
                    from.tagged_fields(|tag, from| {
                        $($crate::codec::message! {
                            @decode_tag from, layout, message, $field, [$carried], tag, [$($tag)?]
                        })*
                        Ok(false)
                    })?;
                }
                Ok(message)
            }

            #[allow(unused_mut, unused_variables)]
            fn encode(
                &self,
                to: &mut $crate::codec::Encoder,
                layout: $crate::codec::Layout,
            ) -> Result<(), $crate::codec::EncodeError> {
                $($crate::codec::message! {
                    @encode self, to, layout, $field, [$carried], [$($null)?], [$($default)?], [$($tag)?],
                    [$($ignorable)?]
                })*
                if layout.flexible {
                    let mut count = 0u32;
                    $($crate::codec::message! {
                        @count_tag self, layout, count, $field, [$carried], [$($default)?], [$($tag)?]
                    })*
                    to.uvarint(count);
                    $($crate::codec::message! {
                        @encode_tag self, to, layout, $field, [$carried], [$($default)?], [$($tag)?]
                    })*
                }
                Ok(())
            }
        }

        /// A struct that may be null stands behind one byte: 1 when it is there, -1 when it is not.
        impl $crate::codec::Nullable for $name {
            fn decode_nullable(
                from: &mut $crate::codec::Decoder,
                layout: $crate::codec::Layout,
            ) -> Result<Option<Self>, $crate::codec::DecodeError> {
                if from.i8()? < 0 {
                    return Ok(None);
                }
                <Self as $crate::codec::Field>::decode(from, layout).map(Some)
            }

            fn encode_nullable(
                value: Option<&Self>,
                to: &mut $crate::codec::Encoder,
                layout: $crate::codec::Layout,
            ) -> Result<(), $crate::codec::EncodeError> {
                to.i8(if value.is_some() { 1 } else { -1 });
                value.map_or(Ok(()), |value| $crate::codec::Field::encode(value, to, layout))
            }
        }
    };

    (@default) => { Default::default() };
    (@default $default:expr) => { $default };

    (@may_be_null $version:ident,) => {
        // The declared default: wherever it is carried.
        { let _ = $version; true }
    };
    (@may_be_null $version:ident, $null:expr) => {
        std::ops::RangeBounds::contains(&($null), &$version)
    };

    (@tag) => { None };
    (@tag $tag:literal) => { Some($tag) };

    (@carries $layout:ident, $carried:expr) => {
        std::ops::RangeBounds::contains(&($carried), &$layout.version)
    };

    // Fields in their place.
    (@decode $from:ident, $layout:ident, $message:ident, $field:ident, [$carried:expr], [$($null:expr)?], []) => {
        if $crate::codec::message!(@carries $layout, $carried) {
            $message.$field = $crate::codec::Field::decode($from, $layout)?;
            $(if !$crate::codec::message!(@carries $layout, $null) && $message.$field.is_none() {
                return Err($crate::codec::DecodeError::UnexpectedNull(stringify!($field)));
            })?
        }
    };
    (@decode $from:ident, $layout:ident, $message:ident, $field:ident, [$carried:expr], [$($null:expr)?],
        [$tag:literal]) => {};

    // Tagged fields.
    (@decode_tag $from:ident, $layout:ident, $message:ident, $field:ident, [$carried:expr], $read:ident, []) => {};
    (@decode_tag $from:ident, $layout:ident, $message:ident, $field:ident, [$carried:expr], $read:ident,
        [$tag:literal]) => {
        if $read == $tag && $crate::codec::message!(@carries $layout, $carried) {
            $message.$field = $crate::codec::Field::decode($from, $layout)?;
            return Ok(true);
        }
    };

    (@encode $self:ident, $to:ident, $layout:ident, $field:ident, [$carried:expr], [$($null:expr)?],
        [$($default:expr)?], [], [$($ignorable:ident)?]) => {
        if $crate::codec::message!(@carries $layout, $carried) {
            $(if !$crate::codec::message!(@carries $layout, $null) && $self.$field.is_none() {
                return Err($crate::codec::EncodeError::UnexpectedNull(stringify!($field)));
            })?
            $crate::codec::Field::encode(&$self.$field, $to, $layout)?;
        } else {
            $crate::codec::message!(@not_carried $self, $layout, $field, [$($default)?], [$($ignorable)?]);
        }
    };
    (@encode $self:ident, $to:ident, $layout:ident, $field:ident, [$carried:expr], [$($null:expr)?],
        [$($default:expr)?], [$tag:literal], [$($ignorable:ident)?]) => {
        if !($layout.flexible && $crate::codec::message!(@carries $layout, $carried)) {
            $crate::codec::message!(@not_carried $self, $layout, $field, [$($default)?], [$($ignorable)?]);
        }
    };

    (@not_carried $self:ident, $layout:ident, $field:ident, [$($default:expr)?], [ignorable]) => {};
    (@not_carried $self:ident, $layout:ident, $field:ident, [$($default:expr)?], []) => {
        if $crate::codec::message!(@is_set $self, $field, [$($default)?]) {
            return Err($crate::codec::EncodeError::NotInVersion {
                field: stringify!($field),
                version: $layout.version,
            });
        }
    };

    (@is_set $self:ident, $field:ident, [$($default:expr)?]) => {
        $crate::codec::is_set(&$self.$field, $crate::codec::message!(@default $($default)?))
    };

    (@count_tag $self:ident, $layout:ident, $count:ident, $field:ident, [$carried:expr], [$($default:expr)?], []) => {};
    (@count_tag $self:ident, $layout:ident, $count:ident, $field:ident, [$carried:expr], [$($default:expr)?],
        [$tag:literal]) => {
        if $crate::codec::message!(@carries $layout, $carried)
            && $crate::codec::message!(@is_set $self, $field, [$($default)?])
        {
            $count += 1;
        }
    };

    (@encode_tag $self:ident, $to:ident, $layout:ident, $field:ident, [$carried:expr], [$($default:expr)?], []) => {};
    (@encode_tag $self:ident, $to:ident, $layout:ident, $field:ident, [$carried:expr], [$($default:expr)?],
        [$tag:literal]) => {
        if $crate::codec::message!(@carries $layout, $carried)
            && $crate::codec::message!(@is_set $self, $field, [$($default)?])
        {
            $to.tagged($tag, |to| $crate::codec::Field::encode(&$self.$field, to, $layout))?;
        }
    };
}

pub(crate) use message;
