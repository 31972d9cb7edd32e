//! A rate of bytes on a link, as it is written: `400 Mbit/s`, `50 MB/s`. Prefixes are decimal (k = 1000), `bit` and `B` differ by
//! eight, and the spelling is exact: who writes `Mbps` or `MiB/s` is asked which one is meant instead of being guessed at.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::limits::{RATE_BITS_MAX, RATE_BITS_MIN};
use crate::name::shown;
use crate::value::{Refusal, Value};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate {
    pub bits_per_second: u64,
}

const UNITS: [(&str, u64); 9] = [
    ("bit/s", 1),
    ("kbit/s", 1_000),
    ("Mbit/s", 1_000_000),
    ("Gbit/s", 1_000_000_000),
    ("Tbit/s", 1_000_000_000_000),
    ("B/s", 8),
    ("kB/s", 8_000),
    ("MB/s", 8_000_000),
    ("GB/s", 8_000_000_000),
];

impl Rate {
    pub fn bytes_per_second(self) -> u64 {
        self.bits_per_second / 8
    }
}

impl Value for Rate {
    const EXPECTED: &'static str = "a rate";

    fn parse(text: &str) -> Result<Self, Refusal> {
        let refuse = |why: &str, fix: String| Err(Refusal::new(format!("`{}` {why}", shown(text)), fix));
        let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(split);
        let unit = unit.trim();
        let Some(thousandths) = thousandths(number) else {
            return refuse(
                "is not a rate",
                "write a number and a unit, such as `400 Mbit/s` or `50 MB/s`".to_owned(),
            );
        };
        let Some((_, factor)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return refuse("has no unit that is known", unit_fix(unit));
        };
        let bits = u128::from(thousandths) * u128::from(*factor) / 1000;
        match u64::try_from(bits) {
            Ok(bits_per_second) if (RATE_BITS_MIN..=RATE_BITS_MAX).contains(&bits_per_second) => {
                Ok(Self { bits_per_second })
            }
            _ => refuse(
                "is out of range",
                "write a rate from `1 kbit/s` to `1 Tbit/s`, or leave it out".to_owned(),
            ),
        }
    }
}

/// A decimal number with at most three digits after the point, times a thousand.
fn thousandths(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str, max: usize| {
        !part.is_empty() && part.len() <= max && part.bytes().all(|b| b.is_ascii_digit())
    };
    if !digits(whole, 15) || !digits(fraction, 3) {
        return None;
    }
    let fraction: u64 = format!("{fraction:0<3}").parse().ok()?;
    Some(whole.parse::<u64>().ok()? * 1000 + fraction)
}

fn unit_fix(unit: &str) -> String {
    let known = "bit/s, kbit/s, Mbit/s, Gbit/s, Tbit/s, B/s, kB/s, MB/s or GB/s";
    match UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)) {
        Some((name, _)) => format!("did you mean `{name}`? units are exact: {known}"),
        None => format!("write a unit of {known} (prefixes are decimal, B is 8 bits)"),
    }
}

/// The largest bit unit that needs no fraction.
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.bits_per_second;
        let unit = UNITS.iter().take(5).rev().find(|(_, factor)| bits.is_multiple_of(*factor));
        match unit {
            Some((name, factor)) => write!(f, "{} {name}", bits / factor),
            None => write!(f, "{bits} bit/s"),
        }
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(text: &str) -> u64 {
        Rate::parse(text).unwrap().bits_per_second
    }

    #[test]
    fn bits_and_bytes_differ_by_eight_and_prefixes_are_decimal() {
        assert_eq!(bits("400 Mbit/s"), 400_000_000);
        assert_eq!(bits("400Mbit/s"), 400_000_000);
        assert_eq!(bits("50 MB/s"), 400_000_000);
        assert_eq!(bits("1.5 Gbit/s"), 1_500_000_000);
        assert_eq!(bits("1000 bit/s"), 1000);
        assert_eq!(Rate::parse("50 MB/s").unwrap().bytes_per_second(), 50_000_000);
        assert_eq!(Rate::parse("1 Tbit/s").unwrap().to_string(), "1 Tbit/s");
        assert_eq!(Rate::parse("50 MB/s").unwrap().to_string(), "400 Mbit/s");
    }

    #[test]
    fn spellings_that_could_mean_two_things_are_refused() {
        let bad = [
            "",
            "400",
            "400 Mbps",
            "400 MiB/s",
            "400 mbit/s",
            "400 Mb/s",
            "-1 Mbit/s",
            "1.2345 Mbit/s",
            ".5 Mbit/s",
            "1. Mbit/s",
            "0 Mbit/s",
            "999 bit/s",
            "2 Tbit/s",
            "1e3 Mbit/s",
            "99999999999999999999 Mbit/s",
            "1.2.3 Mbit/s",
        ];
        for bad in bad {
            assert!(Rate::parse(bad).is_err(), "{bad}");
        }
        assert!(Rate::parse("400 mbit/s").unwrap_err().fix.contains("did you mean `Mbit/s`"));
    }
}
