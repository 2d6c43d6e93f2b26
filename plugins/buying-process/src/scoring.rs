//! The score of an opportunity: what its assessment says of the chance that the customer buys.

use kjerne_sdk::{Rating, ScorePart};

use crate::assessment::Assessment;
use crate::settings::Settings;

/// The score that an assessment comes to. A part that gives and takes nothing is left out.
pub fn rating(settings: &Settings, assessment: &Assessment) -> Rating {
    let points = |name: &str| settings.score.get(name);
    let share = |name: &str, percent: i64| points(name) * percent.clamp(0, 100) / 100;
    let Assessment {
        progress,
        gap,
        rework,
        no_decision,
        ..
    } = assessment;
    let parts = [
        (
            "base",
            points("base"),
            "every opportunity begins there".to_owned(),
        ),
        (
            "progress",
            share("progress", *progress),
            format!("the group is done with {progress} percent of its jobs"),
        ),
        (
            "ahead",
            -share("ahead", *gap),
            format!("our stage is {gap} points ahead of the group"),
        ),
        (
            "rework",
            -share("rework", *rework),
            format!("the risk that a finished job is opened again is {rework} percent"),
        ),
        (
            "no_decision",
            -share("no_decision", *no_decision),
            format!("the risk that the group decides nothing is {no_decision} percent"),
        ),
    ];
    let told = parts.into_iter().filter(|(_, weight, _)| *weight != 0);
    let part =
        |(name, weight, reason)| ScorePart::new(name, i32::try_from(weight).unwrap_or(0), reason);
    Rating::of(told.map(part).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn assessment(progress: i64, gap: i64, rework: i64, no_decision: i64) -> Assessment {
        Assessment {
            jobs: Vec::new(),
            progress,
            ours: 0,
            gap,
            rework,
            no_decision,
            late: false,
            expected_people: 3,
            silent_days: 0,
            actions: Vec::new(),
        }
    }

    #[test]
    fn a_score_is_the_sum_of_its_parts() {
        let settings = Settings::read("").unwrap();
        for (given, points, parts) in [
            (assessment(0, 0, 0, 0), 40, 1),
            (assessment(100, -20, 0, 0), 100, 2),
            (assessment(50, 20, 40, 40), 40 + 30 - 4 - 6 - 8, 5),
            (assessment(0, 100, 100, 100), 0, 4),
        ] {
            let rating = rating(&settings, &given);
            assert_eq!(
                (i64::from(rating.points), rating.parts.len()),
                (points, parts),
                "{given:?}"
            );
        }
    }
}
