//! What a broken, careless or hostile peer can send: it gets Kafka's answer or a closed connection, is counted, and
//! costs no acknowledged record and no other client's service.

#[path = "bad_input/bystander.rs"]
mod bystander;
#[path = "bad_input/connections.rs"]
mod connections;
#[path = "bad_input/frames.rs"]
mod frames;
#[path = "bad_input/full_disk.rs"]
mod full_disk;
#[path = "bad_input/produce.rs"]
mod produce;
