//! What holds of a group after every event, whatever happened.

use super::*;

impl Group {
    /// What holds after every event.
    pub(super) fn assert_invariants(&self) {
        self.members.assert_consistent();
        if let Some(leader) = &self.leader {
            assert!(self.members.contains(leader), "the leader {leader} is no member");
        }
        assert_eq!(self.leader.is_none(), self.members.is_empty(), "members and leader come together");
        match &self.state {
            State::Empty | State::Dead => assert!(self.members.is_empty(), "an empty group has members"),
            State::Preparing { .. } => {
                assert!(self.deadlines.holds(&Deadline::Join), "a join phase without an end");
                let waits = self.members.iter().any(|member| member.awaiting_sync.is_some());
                assert!(!waits, "somebody waits for an assignment that will not come");
            }
            State::Completing { unsynced, .. } => {
                assert!(!self.members.is_empty(), "a generation without members");
                let leads = self.leader.as_ref().and_then(|leader| self.members.find(leader));
                let leader_synced = leads.is_some_and(|leader| leader.awaiting_sync.is_some());
                let ends = self.deadlines.holds(&Deadline::Sync) || !self.writes.is_empty();
                assert!(ends || leader_synced, "a sync phase without an end");
                assert!(unsynced.iter().all(|id| self.members.contains(id)));
            }
            State::Stable { unsynced } => {
                assert!(!self.members.is_empty(), "a generation without members");
                assert!(unsynced.iter().all(|id| self.members.contains(id)));
                assert!(self.protocol.is_some(), "a generation without a protocol");
            }
        }
        for member in self.members.iter() {
            let watched = self.deadlines.holds(&Deadline::Session(member.id.clone()));
            assert!(watched || member.is_excused(), "{} could be silent for ever", member.id);
        }
        let pending = self.members.pending.iter();
        assert!(
            pending.map(|id| Deadline::Session(id.clone())).all(|session| self.deadlines.holds(&session))
        );
    }
}
