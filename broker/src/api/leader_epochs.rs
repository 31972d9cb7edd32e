//! The check of a client's leader epoch that Fetch, ListOffsets and OffsetForLeaderEpoch share (KIP-320).

use protocol::{ErrorCode, LeaderEpoch};

/// A client that knows an older leader must refresh its metadata; one that knows a newer leader than we do must wait.
pub(crate) fn check(current: LeaderEpoch, known_to_client: LeaderEpoch) -> Result<(), ErrorCode> {
    if known_to_client == LeaderEpoch::NONE || known_to_client == current {
        Ok(())
    } else if known_to_client < current {
        Err(ErrorCode::FENCED_LEADER_EPOCH)
    } else {
        Err(ErrorCode::UNKNOWN_LEADER_EPOCH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_epochs_are_fenced_and_newer_ones_unknown() {
        let current = LeaderEpoch(5);
        assert_eq!(check(current, LeaderEpoch::NONE), Ok(()));
        assert_eq!(check(current, LeaderEpoch(5)), Ok(()));
        assert_eq!(check(current, LeaderEpoch(4)), Err(ErrorCode::FENCED_LEADER_EPOCH));
        assert_eq!(check(current, LeaderEpoch(6)), Err(ErrorCode::UNKNOWN_LEADER_EPOCH));
    }
}
