//! `isthmus translate`: where an offset of one side of a link is at the other.

use clap::Args;

use super::{Answer, node::Asked};
use crate::{
    exit,
    operations::{TranslateRequest, Translated},
};

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct TranslateArguments {
    /// The link; a node at its target must be asked.
    #[arg(long, value_name = "FROM:TO")]
    link: String,
    /// The topic, as the source names it.
    #[arg(long)]
    topic: String,
    #[arg(long)]
    partition: i32,
    /// An offset of the source.
    #[arg(long)]
    offset: i64,
    /// The offset is one of the target, and wanted is that of the source.
    #[arg(long)]
    reverse: bool,
    /// As one JSON object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    asked: Asked,
}

/// Exits with 1 if nothing was mirrored, so that there is no answer.
pub(crate) fn answer(arguments: TranslateArguments) -> Answer {
    let TranslateArguments { link, topic, partition, offset, reverse, json, asked } = arguments;
    let request = TranslateRequest { link, topic, partition, offset, reverse };
    let translated = match asked.get::<Translated>(&path(&request)) {
        Ok(translated) => translated,
        Err(answer) => return answer,
    };
    let code = if translated.translated.is_some() { exit::DONE } else { exit::FAILED };
    if json {
        let value = serde_json::to_value(&translated).expect("plain structs serialise");
        return Answer::json(&value).with_code(code);
    }
    match translated.translated {
        Some(offset) => Answer::done(format!("{offset} ({})\n", translated.how)),
        None => Answer::failed(translated.how),
    }
}

fn path(request: &TranslateRequest) -> String {
    let TranslateRequest { link, topic, partition, offset, reverse } = request;
    format!(
        "/v1/translate?link={}&topic={}&partition={partition}&offset={offset}&reverse={reverse}",
        quoted(link),
        quoted(topic)
    )
}

/// Everything but letters, digits and `-._` as percent and two digits.
fn quoted(text: &str) -> String {
    let quoted = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(quoted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_taken_for_syntax_is_quoted() {
        let request = TranslateRequest {
            link: "us:eu".into(),
            topic: "a&b=é".into(),
            partition: 0,
            offset: -1,
            reverse: true,
        };
        let expected = "/v1/translate?link=us%3Aeu&topic=a%26b%3D%C3%A9&partition=0&offset=-1&reverse=true";
        assert_eq!(path(&request), expected);
    }
}
