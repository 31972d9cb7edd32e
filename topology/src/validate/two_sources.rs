//! A replica topic has one source: two would fill the same offsets with different records. Where a failover unit has both sources
//! as members, only the current home sends, and there is no clash.

use super::Check;
use super::flows::decided_among;

pub(super) fn check(check: &mut Check<'_>) {
    let flows: Vec<_> = check.carried().into_iter().filter(|flow| flow.is_replica()).collect();
    for (at, later) in flows.iter().enumerate() {
        let rivals =
            flows.iter().take(at).filter(|earlier| earlier.to == later.to && earlier.from != later.from);
        for earlier in rivals {
            let decided = decided_among(check.topology, &[earlier.from, later.from]);
            let both = earlier.names.and(&later.names).without(decided);
            if let Some(topic) = both.example(check.budget) {
                let message = format!(
                    "replica topics such as `{topic}` would come to `{}` from `{}` and from `{}` (line {})",
                    later.to, later.from, earlier.from, earlier.position.line
                );
                let fix = format!(
                    "let one link carry them, or use `mode: merged`, or make `{}` and `{}` members of the topics' failover unit",
                    earlier.from, later.from
                );
                check.error("two-sources", later.position, message, fix);
            }
        }
    }
}
