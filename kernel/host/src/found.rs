//! What a guard has found so far in a call: the first of each sort, and how many there were.

use kjerne_core::{Finding, Force};

use crate::limits::{ADVICE, FINDINGS};

/// Findings that do not grow with what is found.
#[derive(Default)]
pub struct Found {
    kept: Vec<Finding>,
    refused: u64,
    asked: u64,
    advised: u64,
}

impl Found {
    /// Adds one. Beyond its bound a refusal and a piece of advice are counted; an approval asked for that
    /// could not be kept would let the commit pass without it, and refuses the commit.
    pub fn add(&mut self, mut finding: Finding) {
        if matches!(finding.force, Force::AsksApproval { .. }) {
            self.asked += 1;
            if self.asked > FINDINGS.value {
                let (most, name) = (FINDINGS.value, FINDINGS.name);
                finding.force = Force::Refuses;
                finding.message = format!(
                    "it asks for more than {most} approvals at once ({name}); split the change into several"
                );
            }
        }
        let (count, most) = match finding.force {
            Force::AsksApproval { .. } => (self.asked, FINDINGS),
            Force::Refuses => {
                self.refused += 1;
                (self.refused, FINDINGS)
            }
            Force::Advises => {
                self.advised += 1;
                (self.advised, ADVICE)
            }
        };
        if count <= most.value {
            self.kept.push(finding);
            return;
        }
        let last = self.kept.iter_mut().rev();
        let last = last.into_iter().find(|kept| kept.force == finding.force);
        if let Some(last) = last {
            last.message = match finding.force {
                Force::Advises => format!("this is one of {count} pieces of advice"),
                _ => format!("this is one of {count} objections; mend the others first"),
            };
        }
    }

    /// All that is kept, in the order it was found.
    pub fn into_findings(self) -> Vec<Finding> {
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(forces: impl IntoIterator<Item = Force>) -> Vec<Finding> {
        let mut found = Found::default();
        for force in forces {
            found.add(Finding {
                force,
                change: 0,
                field: None,
                code: "rule".to_owned(),
                message: "why".to_owned(),
            });
        }
        found.into_findings()
    }

    fn asks() -> Force {
        Force::AsksApproval {
            role: "boss".to_owned(),
        }
    }

    #[test]
    fn each_sort_has_its_own_bound_and_none_takes_the_place_of_another() {
        let many = |force: Force, most: u64| vec![force; most as usize];
        for (force, most, told) in [
            (Force::Refuses, FINDINGS, "1001 objections"),
            (Force::Advises, ADVICE, "101 pieces of advice"),
        ] {
            let kept = found(many(force.clone(), most.value));
            assert!(kept.iter().all(|one| one.message == "why"), "{most:?}");
            let kept = found(many(force, most.value + 1));
            assert_eq!(kept.len() as u64, most.value);
            assert!(kept.last().is_some_and(|one| one.message.contains(told)));
        }
        let advised = many(Force::Advises, 10 * ADVICE.value);
        let kept = found(advised.into_iter().chain([Force::Refuses, asks()]));
        assert_eq!(
            kept.len() as u64,
            ADVICE.value + 2,
            "a refusal is never lost"
        );
    }

    #[test]
    fn an_approval_that_cannot_be_kept_refuses() {
        let most = FINDINGS.value as usize;
        let refuses = |one: &Finding| one.force == Force::Refuses;
        assert!(!found(vec![asks(); most]).iter().any(refuses));
        let kept = found(vec![asks(); most + 1]);
        assert!(kept.last().is_some_and(refuses));
    }
}
