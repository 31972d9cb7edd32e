//! Record batches, format version 2: what producers send, what is stored, and what is mirrored.
//!
//! A batch is opaque bytes with a header of [`HEADER_SIZE`]. The broker reads the header and checks the CRC;
//! records are decoded only where a request asks about single records. Base offset and partition leader epoch
//! stand before the region that the CRC covers, so a log assigns both in place ([`assign`]).
//!
//! The format is KIP-98's; see `org.apache.kafka.common.record.DefaultRecordBatch`.

mod build;
mod compress;
mod header;
mod records;
mod snappy;
mod wire;

pub use build::BatchBuilder;
pub use header::{
    Attributes, BatchError, BatchHeader, Compression, HEADER_SIZE, MAGIC, TimestampType, assign,
    set_producer, stamp_append_time, verify_crc,
};
pub use records::{Record, RecordHeader, Records, check_records, records};
pub use wire::HEADERS_MAX;
