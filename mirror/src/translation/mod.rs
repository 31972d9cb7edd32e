pub mod provenance;

mod answer;
mod blocks;
mod coding;
mod run;
mod table;

#[cfg(test)]
mod table_model_test;

pub use answer::{TargetLog, Translated, identity};
pub use coding::Ends;
pub use run::{Run, RunError};
pub use table::Table;
