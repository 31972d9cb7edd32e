//! Load tools of others, to check our own generator against: each moves a number of events and says how fast.

pub(super) mod kafka_tools;
pub(super) mod librdkafka;
