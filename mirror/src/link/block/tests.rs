//! Blocks there and back, and what is not a block.

use bytes::Bytes;
use proptest::prelude::*;

use protocol::{
    LeaderEpoch, Offset, PartitionId,
    batch::{BatchError, BatchHeader, Compression},
};

use super::*;
use crate::link::{
    BlockNumber, Handle,
    tests::{GENERATION, Make, TOPIC, concat},
};

const RULES: UnpackRules = UnpackRules { from: Offset(0), gaps: Gaps::Refused, batch_bytes_max: 8 << 20 };

/// The block that a sender plans for these batches.
fn outgoing(previous_end: i64, batches: &[Bytes]) -> OutgoingBlock {
    let parsed: Vec<BatchHeader> =
        batches.iter().map(|batch| BatchHeader::parse_whole(batch).unwrap()).collect();
    let bytes = batches.iter().map(Bytes::len).sum::<usize>() as u32;
    let last = parsed.last().unwrap();
    let header = BlockHeader {
        codec: Codec::Plain,
        fragment_index: 0,
        fragment_count: 1,
        handle: Handle(4),
        number: BlockNumber(9),
        topic_id: TOPIC,
        partition: PartitionId(2),
        leader_epoch: last.leader_epoch,
        generation: GENERATION,
        previous_end: Offset(previous_end),
        first_offset: parsed[0].base_offset,
        last_offset: last.last_offset(),
        source_end: last.next_offset(),
        source_clock: 77,
        wire_bytes: bytes,
        unpacked_bytes: bytes,
        whole_bytes: bytes,
    };
    let compressible = parsed.iter().all(|batch| batch.attributes.compression() == Ok(Compression::None));
    OutgoingBlock { header, pieces: batches.to_vec(), compressible, priority: 0 }
}

/// What arrives of a packed block.
fn travel(packed: &PackedBlock) -> Block {
    let header = BlockHeader::parse(&packed.encoded_header).unwrap();
    assert_eq!(header, packed.header);
    Block { header, payload: concat(&packed.payload) }
}

fn pack(choice: CodecChoice, batches: &[Bytes]) -> Block {
    travel(&Packer::new(choice).unwrap().pack(outgoing(0, batches)))
}

fn unpack(block: &Block, rules: UnpackRules) -> Result<Vec<Bytes>, BlockError> {
    let batches = Unpacker::new().unwrap().unpack(std::slice::from_ref(block), rules)?;
    Ok(batches.into_iter().map(bytes::BytesMut::freeze).collect())
}

/// Consecutive batches that shrink.
fn events(count: usize, value_bytes: usize) -> Vec<Bytes> {
    (0..count).map(|at| Make::at(10 * at as i64).records(10).value_bytes(value_bytes).build()).collect()
}

#[test]
fn uncompressed_batches_shrink_on_the_way_and_come_out_the_same() {
    let batches = events(50, 500);
    for (choice, codec) in
        [(CodecChoice::Auto, Codec::Zstd), (CodecChoice::Zstd, Codec::Zstd), (CodecChoice::Lz4, Codec::Lz4)]
    {
        let block = pack(choice, &batches);
        assert_eq!(block.header.codec, codec);
        assert!(block.payload.len() < block.header.unpacked_bytes as usize / 4);
        assert_eq!(unpack(&block, RULES).unwrap(), batches);
    }
}

#[test]
fn a_block_stays_plain_when_it_is_off_small_or_a_sample_does_not_shrink() {
    let plain = |choice, batches: &[Bytes]| {
        let block = pack(choice, batches);
        assert_eq!(block.header.codec, Codec::Plain);
        assert_eq!(unpack(&block, RULES).unwrap(), batches);
    };
    plain(CodecChoice::Off, &events(50, 500));
    plain(CodecChoice::Auto, &[Make::at(0).build()]);
    // The sample is noise, and what comes after it is not looked at.
    let noise = Make::at(0).value_bytes(100_000).noise().build();
    plain(CodecChoice::Zstd, &[noise, Make::at(1).value_bytes(200_000).build()]);
}

#[test]
fn batches_compressed_by_their_producer_pass_untouched() {
    let zstd = |base| Make::at(base).records(5).value_bytes(2000).compression(Compression::Zstd).build();
    let batches = [zstd(0), zstd(5)];
    assert_eq!(pack(CodecChoice::Zstd, &batches).payload, concat(&batches));
    let mixed = [zstd(0), Make::at(5).value_bytes(5000).build()];
    assert_eq!(pack(CodecChoice::Zstd, &mixed).payload, concat(&mixed));
}

#[test]
fn a_packer_uses_its_buffers_again() {
    let mut packer = Packer::new(CodecChoice::Zstd).unwrap();
    let first = packer.pack(outgoing(0, &events(50, 500)));
    let memory = first.payload[0].as_ptr();
    drop(first);
    let second = packer.pack(outgoing(0, &events(50, 500)));
    assert_eq!(second.payload[0].as_ptr(), memory);
}

#[test]
fn batches_that_the_log_has_are_left_out() {
    let batches = events(3, 50);
    let rules = UnpackRules { from: Offset(10), ..RULES };
    assert_eq!(unpack(&pack(CodecChoice::Off, &batches), rules).unwrap(), batches[1..]);
}

#[test]
fn every_flipped_bit_of_a_batch_is_found_case_38() {
    let block = pack(CodecChoice::Off, &[Make::at(0).records(2).value_bytes(5).epoch(1).build()]);
    for bit in 0..block.payload.len() * 8 {
        let mut payload = block.payload.to_vec();
        payload[bit / 8] ^= 1 << (bit % 8);
        let damaged = Block { header: block.header, payload: payload.into() };
        assert!(unpack(&damaged, RULES).is_err(), "bit {bit}");
    }
}

#[test]
fn a_bad_crc_says_so_and_stops_as_a_bad_block_case_38() {
    let mut payload = pack(CodecChoice::Off, &[Make::at(0).build()]).payload.to_vec();
    *payload.last_mut().unwrap() ^= 1;
    let header = outgoing(0, &[Make::at(0).build()]).header;
    let error = unpack(&Block { header, payload: payload.into() }, RULES).unwrap_err();
    assert!(matches!(error, BlockError::Batch { error: BatchError::BadCrc { .. }, .. }));
    assert_eq!(error.stop_reason(Offset(0)).code(), "bad-block");
}

#[test]
fn a_gap_is_an_error_unless_the_topic_is_compacted_cases_1_and_2() {
    let batches = [Make::at(0).build(), Make::at(5).build()];
    let block = pack(CodecChoice::Off, &batches);
    let error = unpack(&block, RULES).unwrap_err();
    assert_eq!(error, BlockError::Gap { expected: Offset(1), found: Offset(5) });
    assert_eq!(error.stop_reason(Offset(0)).code(), "unexpected-gap");
    assert_eq!(unpack(&block, UnpackRules { gaps: Gaps::Allowed, ..RULES }).unwrap(), batches);
}

#[test]
fn offsets_that_go_back_are_refused_even_when_gaps_may_be() {
    let batches = [Make::at(5).build(), Make::at(5).build()];
    let header = outgoing(5, &batches).header;
    let rules = UnpackRules { gaps: Gaps::Allowed, ..RULES };
    let error = unpack(&Block { header, payload: concat(&batches) }, rules).unwrap_err();
    assert_eq!(error, BlockError::Order { expected: Offset(6), found: Offset(5) });
}

#[test]
fn what_the_header_says_is_what_the_batches_are() {
    let block = pack(CodecChoice::Off, &events(2, 50));
    let changes: [fn(&mut BlockHeader); 4] = [
        |header| header.last_offset = header.last_offset.plus(-1),
        |header| header.leader_epoch = LeaderEpoch(9),
        |header| header.wire_bytes += 1,
        |header| header.previous_end = Offset(1),
    ];
    for (at, change) in changes.into_iter().enumerate() {
        let mut changed = block.clone();
        change(&mut changed.header);
        assert!(unpack(&changed, RULES).is_err(), "{at}");
    }
}

#[test]
fn a_payload_that_unpacks_to_more_or_less_than_declared_is_refused() {
    let block = pack(CodecChoice::Zstd, &events(50, 500));
    for change in [-1, 1] {
        let mut changed = block.clone();
        let declared = (changed.header.unpacked_bytes as i32 + change) as u32;
        (changed.header.unpacked_bytes, changed.header.whole_bytes) = (declared, declared);
        let expected = declared as usize;
        assert_eq!(unpack(&changed, RULES), Err(BlockError::Unpack { expected }));
    }
}

/// The fragments of one batch, as a sender cuts it.
fn fragments(batch: &Bytes) -> Vec<Block> {
    let count = batch.len().div_ceil(BLOCK_BYTES_MAX);
    let whole = outgoing(0, std::slice::from_ref(batch)).header;
    let fragment = |index: usize| {
        let payload = batch.slice(index * BLOCK_BYTES_MAX..batch.len().min((index + 1) * BLOCK_BYTES_MAX));
        let bytes = payload.len() as u32;
        let header = BlockHeader {
            fragment_index: index as u16,
            fragment_count: count as u16,
            wire_bytes: bytes,
            unpacked_bytes: bytes,
            ..whole
        };
        Block { header: BlockHeader::parse(&header.encode()).unwrap(), payload }
    };
    (0..count).map(fragment).collect()
}

#[test]
fn fragments_make_the_batch_again_in_their_order_only() {
    let batch = Make::at(0).value_bytes(BLOCK_BYTES_MAX * 2 + 12_345).build();
    let blocks = fragments(&batch);
    assert_eq!(blocks.len(), 3);
    let mut unpacker = Unpacker::new().unwrap();
    assert_eq!(unpacker.unpack(&blocks, RULES).unwrap(), std::slice::from_ref(&batch));
    let swapped = [blocks[1].clone(), blocks[0].clone(), blocks[2].clone()];
    assert_eq!(unpacker.unpack(&swapped, RULES), Err(BlockError::Fragments));
    assert_eq!(unpacker.unpack(&blocks[..2], RULES), Err(BlockError::Fragments));
    let small = UnpackRules { batch_bytes_max: batch.len() - 1, ..RULES };
    let error = BlockError::TooLarge { bytes: batch.len(), limit: batch.len() - 1 };
    assert_eq!(unpacker.unpack(&blocks, small), Err(error));
}

#[test]
fn headers_that_do_not_fit_together_are_refused() {
    let good = outgoing(0, &events(2, 50)).header;
    assert_eq!(BlockHeader::parse(&good.encode()), Ok(good));
    let bad: [fn(&mut BlockHeader); 12] = [
        |header| header.wire_bytes = BLOCK_BYTES_MAX as u32 + 1,
        |header| header.wire_bytes = 0,
        |header| header.unpacked_bytes += 1,
        |header| header.whole_bytes += 1,
        |header| header.codec = Codec::Zstd,
        |header| header.fragment_index = 1,
        |header| header.fragment_count = 0,
        |header| header.fragment_count = 2,
        |header| header.previous_end = header.first_offset.plus(1),
        |header| header.first_offset = header.last_offset.plus(1),
        |header| header.source_end = header.last_offset,
        |header| header.partition = PartitionId(-1),
    ];
    for (at, change) in bad.into_iter().enumerate() {
        let mut changed = good;
        change(&mut changed);
        assert!(matches!(BlockHeader::parse(&changed.encode()), Err(HeaderError::Inconsistent(_))), "{at}");
    }
    let mut version = good.encode();
    version[0] = 2;
    assert_eq!(BlockHeader::parse(&version), Err(HeaderError::UnknownVersion(2)));
    version[0] = 1;
    version[1] = 3;
    assert_eq!(BlockHeader::parse(&version), Err(HeaderError::UnknownCodec(3)));
}

proptest! {
    #[test]
    fn arbitrary_headers_and_payloads_never_panic(
        mut header in proptest::collection::vec(any::<u8>(), HEADER_SIZE),
        payload in proptest::collection::vec(any::<u8>(), 1..400),
        codec in 0..3u8,
    ) {
        (header[0], header[1]) = (1, codec);
        let header: [u8; HEADER_SIZE] = header.try_into().unwrap();
        let _ = BlockHeader::parse(&header);
        // A header that parses, over bytes that are anything.
        let mut like = outgoing(0, &[Make::at(0).build()]).header;
        like.wire_bytes = payload.len() as u32;
        like.unpacked_bytes = like.wire_bytes + if codec == 0 { 0 } else { 200 };
        like.whole_bytes = like.unpacked_bytes;
        like.codec = [Codec::Plain, Codec::Zstd, Codec::Lz4][usize::from(codec)];
        let header = BlockHeader::parse(&like.encode()).unwrap();
        let block = Block { header, payload: payload.into() };
        prop_assert!(unpack(&block, RULES).is_err());
    }

    #[test]
    fn whatever_batches_there_are_come_out_the_same(
        sizes in proptest::collection::vec((1..4usize, 0..3000usize, any::<bool>(), any::<bool>()), 1..12),
        choice in 0..4usize,
    ) {
        let mut base = 0;
        let batches: Vec<Bytes> = sizes.into_iter().map(|(records, value_bytes, noise, packed)| {
            let compression = if packed { Compression::Lz4 } else { Compression::None };
            let make = Make { base, records, value_bytes, compression, epoch: 0, noise };
            base += records as i64;
            make.build()
        }).collect();
        use CodecChoice::*;
        let block = pack([Auto, Zstd, Lz4, Off][choice], &batches);
        prop_assert_eq!(unpack(&block, RULES).unwrap(), batches);
    }
}
