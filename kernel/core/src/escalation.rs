//! A step of escalation: what it is tied to, and that it moves the time its case is due.

use kjerne_model::{Code, Instant, Reference, Refusal, Value};

use crate::apply::Work;
use crate::limits;

/// The kind that is escalated.
pub(crate) const CASE: &str = "case";
/// The field that says when.
pub(crate) const DUE: &str = "escalate_at";
/// The reason of a step that left the case as due as it was.
pub(crate) const STUCK: &str = "escalate-at";

/// An escalation step: after it, the case must not be due at `due` any more.
#[derive(Clone)]
pub(crate) struct Step {
    pub(crate) plugin: String,
    pub(crate) case: Reference,
    pub(crate) due: Instant,
    /// When it is done.
    pub(crate) now: Instant,
    /// How many steps before it, one after the other, left the case due.
    pub(crate) behind: u64,
}

/// The fault of a step that leaves its case as due as it was, or moves the time from one past to the
/// next again and again: done so, it would never end. Looked for after shaping, since a shape may be
/// what moves the time.
pub(crate) fn stuck(step: Option<&Step>, work: &Work) -> Option<Refusal> {
    let step = step?;
    let slot = work.find(&step.case.kind, step.case.id);
    let later = match slot.map(|slot| slot.current().map(|fields| fields.get(DUE))) {
        Some(Some(Some(Value::Instant(at)))) if *at > step.due => Some(*at),
        Some(Some(Some(_))) | None => None,
        // It is not due any more.
        Some(Some(None) | None) => return None,
    };
    let Step {
        plugin, case, due, ..
    } = step;
    let message = match later {
        Some(at) if at > step.now || step.behind < limits::STEPS_BEHIND.value => return None,
        Some(_) => {
            let (name, most) = (limits::STEPS_BEHIND.name, limits::STEPS_BEHIND.value);
            format!(
                "plugin {plugin} did {most} escalation steps of {case}, one after the other, that left \
                 {DUE} in the past ({name}); a step must set a time to come, or clear the field"
            )
        }
        None => format!(
            "plugin {plugin} did an escalation step of {case} and left {DUE} at {due} or before; \
             a step must set a later time, or clear the field"
        ),
    };
    Some(Refusal::new(Code::PluginFault, message).by(plugin, STUCK))
}
