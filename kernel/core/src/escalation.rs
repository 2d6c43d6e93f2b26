//! A step of escalation: what it is tied to, and that it moves the time its case is due.

use kjerne_model::{Code, Instant, Reference, Refusal, Value};

use crate::apply::Work;

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
}

/// The fault of a step that leaves its case as due as it was: done again and again, it would never
/// end. Looked for after shaping, since a shape may be what moves the time.
pub(crate) fn stuck(step: Option<&Step>, work: &Work) -> Option<Refusal> {
    let step = step?;
    let slot = work.find(&step.case.kind, step.case.id);
    let moved = slot.is_some_and(|slot| match slot.current().map(|fields| fields.get(DUE)) {
        Some(Some(Value::Instant(at))) => *at > step.due,
        Some(Some(_)) => false,
        Some(None) | None => true,
    });
    (!moved).then(|| {
        let Step { plugin, case, due } = step;
        let message = format!(
            "plugin {plugin} did an escalation step of {case} and left {DUE} at {due} or before; \
             a step must set a later time, or clear the field"
        );
        Refusal::new(Code::PluginFault, message).by(plugin, STUCK)
    })
}
