//! Values of two unrelated types compared by their `Debug` form: field by field, by name.

use std::{collections::BTreeMap, iter::Peekable, str::Chars};

/// A printed value, without the names of its types.
#[derive(Debug, PartialEq)]
pub(crate) enum Value {
    Fields(BTreeMap<String, Value>),
    List(Vec<Value>),
    Some(Box<Value>),
    /// A number, a string, bytes, a boolean, or `None`.
    Atom(String),
}

/// Reads what `{:?}` wrote. Newtypes count as what is in them.
pub(crate) fn parse(printed: &str) -> Value {
    let mut from = printed.chars().peekable();
    let value = read(&mut from);
    assert_eq!(from.next(), None, "all of {printed} is read");
    value
}

fn read(from: &mut Peekable<Chars<'_>>) -> Value {
    skip_blanks(from);
    if from.next_if_eq(&'[').is_some() {
        return Value::List(separated(from, ']', read));
    }
    let word = word(from);
    skip_blanks(from);
    match from.peek() {
        Some('{') => {
            from.next();
            Value::Fields(separated(from, '}', field).into_iter().flatten().collect())
        }
        Some('(') => {
            from.next();
            let [inner] = <[Value; 1]>::try_from(separated(from, ')', read)).expect("only newtypes");
            if word == "Some" { Value::Some(Box::new(inner)) } else { inner }
        }
        Some('"') => Value::Atom(word + &quoted(from)),
        _ => Value::Atom(word),
    }
}

/// Fields of theirs that no version carries yet which they know (two-phase commit of transactions, KIP-939), and the
/// tagged fields that a decoder did not know: no part of the value.
const NOT_COMPARED: [&str; 4] =
    ["enable_2_pc", "keep_prepared_txn", "ongoing_txn_producer_id", "ongoing_txn_producer_epoch"];

fn field(from: &mut Peekable<Chars<'_>>) -> Option<(String, Value)> {
    let name = word(from);
    assert_eq!(from.next(), Some(':'), "a name and a colon, after {name}");
    if name == "unknown_tagged_fields" {
        skip_map(from);
        return None;
    }
    let value = read(from);
    (!NOT_COMPARED.contains(&name.as_str())).then_some((name, value))
}

fn separated<T>(
    from: &mut Peekable<Chars<'_>>,
    end: char,
    mut each: impl FnMut(&mut Peekable<Chars<'_>>) -> T,
) -> Vec<T> {
    let mut all = Vec::new();
    loop {
        skip_blanks(from);
        if from.next_if_eq(&end).is_some() {
            return all;
        }
        all.push(each(from));
        skip_blanks(from);
        from.next_if_eq(&',');
    }
}

fn word(from: &mut Peekable<Chars<'_>>) -> String {
    skip_blanks(from);
    std::iter::from_fn(|| from.next_if(|&c| c.is_alphanumeric() || "_-.".contains(c))).collect()
}

fn quoted(from: &mut Peekable<Chars<'_>>) -> String {
    let mut text = String::from(from.next().expect("a quote"));
    loop {
        let c = from.next().expect("a closing quote");
        text.push(c);
        match c {
            '\\' => text.push(from.next().expect("something escaped")),
            '"' => return text,
            _ => {}
        }
    }
}

/// `{100: b"...", 107: b"..."}`
fn skip_map(from: &mut Peekable<Chars<'_>>) {
    skip_blanks(from);
    assert_eq!(from.next(), Some('{'));
    separated(from, '}', |from| {
        word(from);
        assert_eq!(from.next(), Some(':'));
        read(from)
    });
}

fn skip_blanks(from: &mut Peekable<Chars<'_>>) {
    while from.next_if_eq(&' ').is_some() {}
}

#[test]
fn printed_values_are_compared_by_field() {
    #[derive(Debug)]
    #[expect(dead_code, reason = "printed only")]
    struct Outer {
        id: protocol::Offset,
        names: Vec<Option<&'static str>>,
        inner: Option<Inner>,
    }
    #[derive(Debug)]
    #[expect(dead_code, reason = "printed only")]
    struct Inner {
        bytes: bytes::Bytes,
    }
    let value = |name| Outer {
        id: protocol::Offset(-3),
        names: vec![None, Some(name)],
        inner: Some(Inner { bytes: bytes::Bytes::from_static(b"\"}\xff") }),
    };
    let printed = parse(&format!("{:?}", value("a, \"b\" }")));
    let Value::Fields(fields) = &printed else { panic!("a struct") };
    assert_eq!(fields["id"], Value::Atom("-3".into()));
    assert_eq!(fields.keys().collect::<Vec<_>>(), ["id", "inner", "names"]);
    assert_eq!(printed, parse(&format!("{:?}", value("a, \"b\" }"))));
    assert_ne!(printed, parse(&format!("{:?}", value("b"))));
}
