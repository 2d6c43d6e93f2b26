//! The calls of plugins within a commit: the shapes, then the guards.
//!
//! Promise 3, what the guards saw is what is stored, is a matter of types here: shapes are given the
//! work to change, guards are given it sealed, and what is stored is made from the sealed work.
//! Promise 5, a guard has no effects, is one as well: what it returns holds findings and nothing else.

use kjerne_model::{Asked, Code, Refusal, Remark, Verdict};

use crate::apply::{Slot, Work};
use crate::kernel::Kernel;
use crate::outcome::{PluginCost, of_remark};
use crate::plugins::{Call, Draft, Fault, FieldSet, Finding, Force, PluginInfo, Role};
use crate::sealed::Sealed;

/// A plugin's verdict on a commit that it let pass.
fn verdict(plugin: &PluginInfo, role: Role, fuel: u64, set: Vec<String>) -> Verdict {
    let (id, version) = (plugin.id.clone(), plugin.version.clone());
    Verdict {
        plugin: id,
        version,
        role: role.name().to_owned(),
        fuel,
        set,
        advice: Vec::new(),
        broke: None,
    }
}

/// What one call cost: fuel, time and rows.
fn cost(plugin: &PluginInfo, role: Role, (fuel, micros, reads): (u64, u64, u64)) -> PluginCost {
    PluginCost {
        plugin: plugin.id.clone(),
        role: role.name(),
        calls: 1,
        fuel,
        micros,
        reads,
    }
}

/// What the guards found; what they advise stands in their verdicts.
#[derive(Default)]
pub(crate) struct Found {
    /// What they refuse the commit for.
    pub(crate) refusals: Vec<Refusal>,
    /// Whose approval they ask for.
    pub(crate) asked: Vec<Asked>,
}

/// A plugin that broke, as a reason to refuse.
pub(crate) fn fault_refusal(fault: &Fault) -> Refusal {
    Refusal::new(Code::PluginFault, fault.message.clone()).by(&fault.plugin, &fault.limit)
}

impl Kernel {
    /// Has each shape that watches one of the changes set fields, in the plugins' fixed order; each
    /// sees what the earlier ones set. The first that breaks ends the commit.
    pub(crate) fn shape(
        &self,
        call: &Call,
        work: &mut Work,
        verdicts: &mut Vec<Verdict>,
        costs: &mut Vec<PluginCost>,
    ) -> Result<(), Vec<Refusal>> {
        for plugin in self.plugins().with_role(Role::Shape) {
            let drafts = watched(&plugin, work);
            if drafts.is_empty() {
                continue;
            }
            let shaped = self.plugins().shape(&plugin, call, &drafts);
            let shaped = shaped.map_err(|fault| vec![fault_refusal(&fault)])?;
            let shown: Vec<usize> = drafts.iter().map(|draft| draft.change).collect();
            let mut set = Vec::with_capacity(shaped.sets.len());
            for field_set in shaped.sets {
                set.push(format!("{}.{}", field_set.change, field_set.field));
                if let Some(fault) = set_field(work, &plugin, &shown, field_set) {
                    return Err(vec![fault]);
                }
            }
            let took = (shaped.fuel, shaped.micros, shaped.reads);
            PluginCost::add(costs, cost(&plugin, Role::Shape, took));
            verdicts.push(verdict(&plugin, Role::Shape, shaped.fuel, set));
        }
        Ok(())
    }

    /// Asks every guard that watches one of the changes, and returns what they found, in the
    /// plugins' fixed order. A guard that breaks refuses by breaking, unless the administrator has commits
    /// pass it then; the journal keeps that it did not judge. One that found no place is asked again in any case.
    pub(crate) fn guard(
        &self,
        call: &Call,
        sealed: &Sealed,
        verdicts: &mut Vec<Verdict>,
        costs: &mut Vec<PluginCost>,
    ) -> Found {
        let mut found = Found::default();
        for plugin in self.plugins().with_role(Role::Guard) {
            let drafts = watched(&plugin, sealed.work());
            if drafts.is_empty() {
                continue;
            }
            match self.plugins().guard(&plugin, call, &drafts) {
                Err(fault) if plugin.lets_pass && !fault.is_overload() => {
                    verdicts.push(Verdict {
                        broke: Some(fault.limit),
                        ..verdict(&plugin, Role::Guard, 0, Vec::new())
                    });
                }
                Err(fault) => found.refusals.push(fault_refusal(&fault)),
                Ok(guarded) => {
                    let took = (guarded.fuel, guarded.micros, guarded.reads);
                    PluginCost::add(costs, cost(&plugin, Role::Guard, took));
                    let mut verdict = verdict(&plugin, Role::Guard, guarded.fuel, Vec::new());
                    for finding in guarded.findings {
                        let remark = remark(&plugin, &drafts, &finding);
                        match finding.force {
                            Force::Refuses => found.refusals.push(of_remark(Code::Guard, remark)),
                            Force::AsksApproval { role } => {
                                found.asked.push(Asked { role, remark });
                            }
                            Force::Advises => verdict.advice.push(remark),
                        }
                    }
                    verdicts.push(verdict);
                }
            }
        }
        found
    }
}

/// The commit as a plugin sees it: one draft for each record it makes a difference to, of those the
/// plugin watches.
fn watched<'a>(plugin: &PluginInfo, work: &'a Work) -> Vec<Draft<'a>> {
    let draft = |slot: &'a Slot| Draft {
        change: slot.change,
        kind: &slot.kind.name,
        id: slot.id,
        before: slot.stored(),
        after: slot.current(),
    };
    let drafts = work.changed().map(draft);
    plugin
        .watches
        .among(drafts, |draft| (draft.kind, draft.before, draft.after))
}

/// Sets what a shape wants set. The host has checked that it was granted; that there is such a
/// record and field to set is checked here.
fn set_field(
    work: &mut Work,
    plugin: &PluginInfo,
    shown: &[usize],
    set: FieldSet,
) -> Option<Refusal> {
    let FieldSet {
        change,
        field,
        value,
    } = set;
    let settable = |slot: &Slot| shown.contains(&change) && slot.kind.field(&field).is_some();
    let slot = work.by_change(change).filter(|slot| settable(slot));
    let fields = slot.and_then(Slot::fields_mut);
    let Some(fields) = fields else {
        let message = format!(
            "plugin {} set field {field} of change {change}, where there is no such field to set; \
             tell its author, or disable the plugin",
            plugin.id
        );
        return Some(Refusal::new(Code::PluginFault, message).by(&plugin.id, "bad-output"));
    };
    match value {
        Some(value) => drop(fields.insert(field, value)),
        None => drop(fields.remove(&field)),
    }
    None
}

/// A guard's finding with its place in the commit. One about a change the guard was not shown is about
/// the whole.
fn remark(plugin: &PluginInfo, drafts: &[Draft<'_>], finding: &Finding) -> Remark {
    let draft = drafts.iter().find(|draft| draft.change == finding.change);
    Remark {
        plugin: plugin.id.clone(),
        code: finding.code.clone(),
        message: finding.message.clone(),
        change: draft.map(|draft| draft.change),
        kind: draft.map(|draft| draft.kind.clone()),
        id: draft.map(|draft| draft.id),
        field: finding.field.clone(),
    }
}
