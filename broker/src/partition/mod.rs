//! The partitions this broker leads.
//!
//! A partition exists because the metadata image says so; its log is opened when it is first touched. So a start costs
//! nothing for each partition, and creating a topic costs one metadata record.
//!
//! * [`Partitions`]: from a topic and a number to an open partition.
//! * [`follow`]: keeps open partitions true to the image: new settings, deletions.
//! * [`obey`]: makes open partitions take batches from whom the gate says.

mod config;
mod follow;
mod obey;
mod open;

pub(crate) use config::batch_rules;
pub(crate) use follow::{Follower, open_stored, set_strays_aside};
pub use open::FindError;
pub(crate) use open::{Partitions, leader_epoch};
