//! What one direction of a link does to packets, as people write it: in a layout's file, on the command line and on the
//! control socket alike.

use std::{fmt, ops::RangeInclusive};

use serde::{Deserialize, Serialize};

/// One direction's settings. All zero is a wire: no delay, no loss, no limit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Impairments {
    /// Time on the way, one way.
    pub delay_ms: f64,
    /// Up to this much more, uniformly drawn for each packet; packets stay in order.
    pub jitter_ms: f64,
    /// Share of segments lost, 0 to 1, before the bottleneck: a lost one takes no line time.
    pub loss: f64,
    /// Mean length of a burst of losses; 0 for losses independent of each other.
    pub loss_burst: f64,
    /// The bottleneck's rate in 10^6 bits of IP packets a second; 0 for no bottleneck.
    pub rate_mbit: f64,
    /// The bottleneck's queue, in 1,000 bytes; what does not fit is dropped. 0 for [`Impairments::queue_bytes`]'s choice.
    pub queue_kb: f64,
    /// Share of segments that come late by `reorder_ms`, overtaken by those behind them.
    pub reorder: f64,
    pub reorder_ms: f64,
    /// Share of segments that come twice.
    pub duplicate: f64,
    /// Share of segments of which one bit is flipped.
    pub corrupt: f64,
    /// Longer segments vanish, as on a path that filters ICMP; 0 for no limit. The device's own MTU is the layout's.
    pub mtu: u32,
    /// Everything that is sent vanishes. What is on its way still arrives.
    pub blackhole: bool,
}

/// New values for some of the settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Change {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss_burst: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_mbit: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_kb: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reorder: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reorder_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corrupt: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blackhole: Option<bool>,
}

/// A value that makes no sense, and what would.
#[derive(Clone, Debug, PartialEq)]
pub struct BadValue(pub(crate) String);

const SHARE: RangeInclusive<f64> = 0.0..=1.0;
const MILLISECONDS: RangeInclusive<f64> = 0.0..=60_000.0;
const BURST: RangeInclusive<f64> = 0.0..=100_000.0;
const RATE_MBIT: RangeInclusive<f64> = 0.0..=100_000.0;
const QUEUE_KB: RangeInclusive<f64> = 0.0..=1_000_000.0;
/// Below this the line would stand still for longer than any test.
const RATE_MBIT_MIN: f64 = 0.001;
/// What every IPv4 path carries (RFC 791).
const MTU_MIN: u32 = 68;
const MTU_MAX: u32 = 65_535;
/// The least queue that is chosen: four super-packets.
const QUEUE_BYTES_MIN: f64 = 256_000.0;

impl Impairments {
    /// What the settings are after a change.
    pub fn with(&self, change: &Change) -> Self {
        Self {
            delay_ms: change.delay_ms.unwrap_or(self.delay_ms),
            jitter_ms: change.jitter_ms.unwrap_or(self.jitter_ms),
            loss: change.loss.unwrap_or(self.loss),
            loss_burst: change.loss_burst.unwrap_or(self.loss_burst),
            rate_mbit: change.rate_mbit.unwrap_or(self.rate_mbit),
            queue_kb: change.queue_kb.unwrap_or(self.queue_kb),
            reorder: change.reorder.unwrap_or(self.reorder),
            reorder_ms: change.reorder_ms.unwrap_or(self.reorder_ms),
            duplicate: change.duplicate.unwrap_or(self.duplicate),
            corrupt: change.corrupt.unwrap_or(self.corrupt),
            mtu: change.mtu.unwrap_or(self.mtu),
            blackhole: change.blackhole.unwrap_or(self.blackhole),
        }
    }

    /// Bytes that the bottleneck's queue holds: what is set, or else what the line carries in a round trip of twice the
    /// delay, at least 256 kB.
    pub fn queue_bytes(&self) -> u64 {
        if self.queue_kb > 0.0 {
            return (self.queue_kb * 1e3) as u64;
        }
        let round_trip_seconds = 2.0 * self.delay_ms / 1e3;
        (self.rate_mbit * 1e6 / 8.0 * round_trip_seconds).max(QUEUE_BYTES_MIN) as u64
    }

    /// # Errors
    ///
    /// If a value is out of its range, or two contradict each other.
    pub fn check(&self) -> Result<(), BadValue> {
        within("delay_ms", self.delay_ms, &MILLISECONDS)?;
        within("jitter_ms", self.jitter_ms, &MILLISECONDS)?;
        within("reorder_ms", self.reorder_ms, &MILLISECONDS)?;
        within("loss", self.loss, &SHARE)?;
        within("reorder", self.reorder, &SHARE)?;
        within("duplicate", self.duplicate, &SHARE)?;
        within("corrupt", self.corrupt, &SHARE)?;
        within("loss_burst", self.loss_burst, &BURST)?;
        within("rate_mbit", self.rate_mbit, &RATE_MBIT)?;
        within("queue_kb", self.queue_kb, &QUEUE_KB)?;
        if self.rate_mbit != 0.0 && self.rate_mbit < RATE_MBIT_MIN {
            return bad(format!(
                "rate_mbit {} is below {RATE_MBIT_MIN}; to cut the link set blackhole",
                self.rate_mbit
            ));
        }
        if self.mtu != 0 && !(MTU_MIN..=MTU_MAX).contains(&self.mtu) {
            return bad(format!("mtu is {}, and must be 0 or from {MTU_MIN} to {MTU_MAX}", self.mtu));
        }
        if self.reorder > 0.0 && self.reorder_ms <= 0.0 {
            return bad("reorder needs reorder_ms: how late the reordered segments are".to_owned());
        }
        self.check_bursts()
    }

    /// A gap between bursts is at least one segment, so that bursts of a given length cannot make any share.
    fn check_bursts(&self) -> Result<(), BadValue> {
        if self.loss_burst == 0.0 || self.loss == 1.0 {
            return Ok(());
        }
        if self.loss_burst < 1.0 {
            return bad(format!(
                "loss_burst is {}, and must be 0 (independent) or at least 1",
                self.loss_burst
            ));
        }
        let share_max = self.loss_burst / (self.loss_burst + 1.0);
        if self.loss > share_max {
            return bad(format!(
                "bursts of {} segments make a loss of at most {share_max:.3}: lengthen loss_burst",
                self.loss_burst
            ));
        }
        Ok(())
    }
}

impl Change {
    /// From `key=value` words.
    ///
    /// # Errors
    ///
    /// If a word is not of that form, or its key or value is not one of ours.
    pub fn parse<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, BadValue> {
        let mut object = serde_json::Map::new();
        for word in words {
            let Some((key, value)) = word.split_once('=') else {
                return bad(format!("{word} is not of the form key=value"));
            };
            let Ok(parsed) = serde_json::from_str(value) else {
                return bad(format!("the value of {key} is {value}, and must be a number, true or false"));
            };
            object.insert(key.to_owned(), parsed);
        }
        serde_json::from_value(object.into()).map_err(|error| BadValue(error.to_string()))
    }
}

impl fmt::Display for BadValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadValue {}

/// The settings that are not zero.
impl fmt::Display for Impairments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers = [
            ("delay_ms", self.delay_ms),
            ("jitter_ms", self.jitter_ms),
            ("loss", self.loss),
            ("loss_burst", self.loss_burst),
            ("rate_mbit", self.rate_mbit),
            ("queue_kb", self.queue_kb),
            ("reorder", self.reorder),
            ("reorder_ms", self.reorder_ms),
            ("duplicate", self.duplicate),
            ("corrupt", self.corrupt),
            ("mtu", f64::from(self.mtu)),
        ];
        let mut words: Vec<String> = numbers
            .iter()
            .filter(|(_, value)| *value != 0.0)
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        if self.blackhole {
            words.push("blackhole=true".to_owned());
        }
        f.write_str(if words.is_empty() { "a wire" } else { "" })?;
        f.write_str(&words.join(" "))
    }
}

fn within(key: &str, value: f64, range: &RangeInclusive<f64>) -> Result<(), BadValue> {
    // Not a number is in no range.
    if range.contains(&value) {
        return Ok(());
    }
    bad(format!("{key} is {value}, and must be from {} to {}", range.start(), range.end()))
}

fn bad<T>(what: String) -> Result<T, BadValue> {
    Err(BadValue(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(words: &[&str]) -> String {
        let change = match Change::parse(words.iter().copied()) {
            Ok(change) => change,
            Err(error) => return error.to_string(),
        };
        Impairments::default().with(&change).check().expect_err("it is wrong").to_string()
    }

    #[test]
    fn words_change_what_they_name_and_leave_the_rest() {
        let base = Impairments { delay_ms: 50.0, loss: 0.1, ..Impairments::default() };
        let change = Change::parse(["loss=0.001", "blackhole=true", "mtu=1400"]).unwrap();
        let changed = base.with(&change);
        assert_eq!(changed.to_string(), "delay_ms=50 loss=0.001 mtu=1400 blackhole=true");
        assert_eq!(changed.check(), Ok(()));
        assert_eq!(Impairments::default().to_string(), "a wire");
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_reason() {
        assert_eq!(complaint(&["loss=1.5"]), "loss is 1.5, and must be from 0 to 1");
        assert_eq!(complaint(&["delay_ms=-1"]), "delay_ms is -1, and must be from 0 to 60000");
        assert_eq!(complaint(&["mtu=20"]), "mtu is 20, and must be 0 or from 68 to 65535");
        assert!(complaint(&["reorder=0.1"]).contains("needs reorder_ms"));
        assert!(complaint(&["rate_mbit=0.0001"]).contains("set blackhole"));
        assert!(complaint(&["loss=0.9", "loss_burst=2"]).contains("at most 0.667"));
        assert!(complaint(&["loss=0.1", "loss_burst=0.5"]).contains("at least 1"));
        assert!(complaint(&["loss"]).contains("key=value"));
        assert!(complaint(&["loss=much"]).contains("must be a number"));
        assert!(complaint(&["los=1"]).contains("unknown field `los`"));
        assert!(complaint(&["mtu=1.5"]).contains("invalid type"));
        assert!(Impairments { loss: f64::NAN, ..Impairments::default() }.check().is_err());
    }

    #[test]
    fn the_queue_that_is_not_set_holds_a_round_trip() {
        let line = Impairments { rate_mbit: 200.0, delay_ms: 50.0, ..Impairments::default() };
        assert_eq!(line.queue_bytes(), 2_500_000);
        assert_eq!(Impairments { delay_ms: 0.0, ..line.clone() }.queue_bytes(), 256_000);
        assert_eq!(Impairments { queue_kb: 10.0, ..line }.queue_bytes(), 10_000);
    }
}
