//! What packing and unpacking a block of the link costs.
//!
//! `cargo bench -p mirror --bench block`; divan takes a filter, and `--sample-count`.

use bytes::{Bytes, BytesMut};
use divan::{Bencher, counter::BytesCount};

use mirror::{
    link::{
        BlockNumber, Handle,
        block::{
            BLOCK_BYTES_MAX, Block, BlockHeader, Codec, CodecChoice, Gaps, OutgoingBlock, Packer,
            UnpackRules, Unpacker,
        },
    },
    ownership::HomeGeneration,
};
use protocol::{
    LeaderEpoch, Offset, PartitionId, TopicId, Uuid,
    batch::{BatchBuilder, BatchHeader},
};

/// Bytes of one batch, roughly; a block holds as many of them as fit.
const BATCHES: [usize; 2] = [16 << 10, 800 << 10];
const RULES: UnpackRules = UnpackRules { from: Offset(0), gaps: Gaps::Refused, batch_bytes_max: 32 << 20 };
const CHOICES: [CodecChoice; 3] = [CodecChoice::Off, CodecChoice::Lz4, CodecChoice::Zstd];

fn main() {
    divan::main();
}

fn batch(base: usize, bytes: usize) -> Bytes {
    let record = |at: usize| {
        let user = at.wrapping_mul(0x9e37_79b9) % 100_003;
        format!(
            r#"{{"event_id":"{:016x}","kind":"page_view","user":{user},"session":"{:08x}","path":"/shop/item/{}","ms":{},"agent":"Mozilla/5.0 (X11; Linux x86_64)","country":"CH","price":{}.{:02}}}"#,
            at.wrapping_mul(0x9e37_79b9_7f4a_7c15),
            user * 7919,
            at * 31 % 4099,
            at * 17 % 900,
            at * 13 % 300,
            at % 100,
        )
    };
    let records = bytes / record(0).len();
    let builder = BatchBuilder::new().base_offset(Offset(base as i64)).leader_epoch(LeaderEpoch(0));
    (base..base + records)
        .fold(builder, |builder, at| builder.record(at as i64, None, Some(record(at).as_bytes()), &[]))
        .build()
        .expect("small enough")
        .freeze()
}

fn outgoing(batch_bytes: usize) -> OutgoingBlock {
    let mut run = BytesMut::new();
    let mut end = Offset(0);
    loop {
        let batch = batch(end.0 as usize, batch_bytes);
        if run.len() + batch.len() > BLOCK_BYTES_MAX {
            break;
        }
        end = BatchHeader::parse_whole(&batch).expect("just built").next_offset();
        run.extend_from_slice(&batch);
    }
    let bytes = run.len() as u32;
    let header = BlockHeader {
        codec: Codec::Plain,
        fragment_index: 0,
        fragment_count: 1,
        handle: Handle(0),
        number: BlockNumber(0),
        topic_id: TopicId(Uuid::from_u128(1)),
        partition: PartitionId(0),
        leader_epoch: LeaderEpoch(0),
        generation: HomeGeneration(0),
        previous_end: Offset(0),
        first_offset: Offset(0),
        last_offset: end.plus(-1),
        source_end: end,
        source_clock: 0,
        wire_bytes: bytes,
        unpacked_bytes: bytes,
        whole_bytes: bytes,
    };
    OutgoingBlock { header, pieces: vec![run.freeze()], compressible: true, priority: 0 }
}

fn pack(bencher: Bencher<'_, '_>, choice: CodecChoice, batch_bytes: usize) {
    let block = outgoing(batch_bytes);
    let mut packer = Packer::new(choice).expect("a context");
    bencher
        .counter(BytesCount::new(block.header.unpacked_bytes as usize))
        .bench_local(|| packer.pack(divan::black_box(block.clone())));
}

/// Every batch's CRC is checked.
fn unpack(bencher: Bencher<'_, '_>, choice: CodecChoice, batch_bytes: usize) {
    let packed = Packer::new(choice).expect("a context").pack(outgoing(batch_bytes));
    let payload = packed.payload.iter().flatten().copied().collect::<Vec<u8>>();
    let block = [Block { header: packed.header, payload: payload.into() }];
    let mut unpacker = Unpacker::new().expect("a context");
    bencher
        .counter(BytesCount::new(packed.header.unpacked_bytes as usize))
        .bench_local(|| unpacker.unpack(divan::black_box(&block), RULES).expect("as packed"));
}

#[divan::bench(args = BATCHES, consts = [0, 1, 2])]
fn pack_codec<const CHOICE: usize>(bencher: Bencher<'_, '_>, batch_bytes: usize) {
    pack(bencher, CHOICES.get(CHOICE).copied().unwrap_or_default(), batch_bytes);
}

#[divan::bench(args = BATCHES, consts = [0, 1, 2])]
fn unpack_codec<const CHOICE: usize>(bencher: Bencher<'_, '_>, batch_bytes: usize) {
    unpack(bencher, CHOICES.get(CHOICE).copied().unwrap_or_default(), batch_bytes);
}
