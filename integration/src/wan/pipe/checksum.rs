//! The Internet checksum (RFC 1071).

/// The sum of big-endian 16-bit words; an odd last byte is padded with zero.
pub(crate) fn sum(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<2>();
    let sum: u64 = words.iter().map(|word| u64::from(u16::from_be_bytes(*word))).sum();
    sum + rest.first().map_or(0, |last| u64::from(*last) << 8)
}

/// The sum in one's complement.
pub(crate) fn fold(mut sum: u64) -> u16 {
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    sum as u16
}

#[test]
fn the_example_of_rfc_1071_adds_up() {
    let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
    assert_eq!(sum(&bytes), 0x2_ddf0);
    assert_eq!(fold(sum(&bytes)), 0xddf2);
    assert_eq!(sum(&[0xab]), 0xab00);
}
