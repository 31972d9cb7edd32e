//! Settings: five layers in, one checked [`Settings`] out, and where each value came from.
//!
//! ```text
//!   defaults  <  topology  <  file (TOML)  <  environment (ISTHMUS_*)  <  flags
//!      |            |             |                 |                       |
//!      +------------+-------------+--- Given: name, value, origin ----------+
//!                   |
//!        each checked alone (schema: is there such a setting, of that form; rules: in range)
//!                   |
//!        merged by the crate `config`  ->  rules that tie settings together  ->  Effective
//! ```
//!
//! Promises:
//! 1. A setting that does not exist, has the wrong form or is out of range is refused whichever layer it stands in,
//!    even where a higher layer would override it, and all such refusals are reported at once.
//! 2. Every refusal names the setting, the place it came from (file and line, variable, flag) and the fix.
//! 3. The schema is the settings struct itself: its serialised default says which names exist and of which form.
//!
//! Start with [`settings`] for what can be set, with [`effective`] for how it comes together.

pub(crate) mod address;
pub(crate) mod effective;
pub(crate) mod environment;
pub(crate) mod file;
pub(crate) mod given;
pub(crate) mod placement;
pub(crate) mod refusal;
pub(crate) mod rules;
pub(crate) mod schema;
pub(crate) mod settings;
pub(crate) mod together;

pub(crate) use effective::{Effective, Inputs};
pub(crate) use given::Given;
pub(crate) use placement::Placement;
pub(crate) use refusal::{Refusal, Refused, Unloadable};
pub(crate) use settings::Settings;

#[cfg(test)]
mod documented;
