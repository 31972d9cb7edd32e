//! `failover[]`.

use super::fields::Fields;
use super::not_empty;
use super::tree::Tree;
use crate::model::FailoverUnit;
use crate::problem::Problems;
use crate::schema;

pub(super) fn parse(tree: &Tree, problems: &mut Problems) -> Option<FailoverUnit> {
    let fields = Fields::new(tree, &schema::FAILOVER, problems)?;
    let (name, home) = (fields.value("name", problems), fields.value("home", problems));
    let topics = fields.values("topics", problems);
    not_empty(&topics, "`topics`", &fields, "topics", problems);
    let groups = fields.values("groups", problems);
    let standby = fields.values("standby", problems);
    not_empty(&standby, "`standby`", &fields, "standby", problems);
    let when_apart = fields.value_or_default("when_apart", problems);
    Some(FailoverUnit { name: name?, topics, groups, home: home?, standby, when_apart })
}
