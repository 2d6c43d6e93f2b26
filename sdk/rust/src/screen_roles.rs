//! The roles that show people something, one trait each. [`plugin!`](crate::plugin) exports them.

use crate::change::Context;
use crate::contract::{Card, Failure, RecordRef, ReportPage, ScoredRecord};
use crate::fields::Fields;

/// Answers rows about many records; which reports there are stands in the manifest as `[[report]]`.
///
/// A report reads and does nothing else. Each page is a call of its own, in a fresh instance.
///
/// ```
/// use kjerne_sdk::prelude::*;
/// use kjerne_sdk::cells;
///
/// struct Plugin;
///
/// // [[report]]
/// // name = "accounts"
/// // columns = [{ name = "account", type = "reference:account" }, { name = "region", type = "text" }]
/// impl Report for Plugin {
///     fn rows(
///         _: &Context,
///         _report: &str,
///         _arguments: &Fields,
///         after: Option<&str>,
///     ) -> Result<ReportPage, Failure> {
///         let mut query = records::query("account").limit(200);
///         if let Some(cursor) = after {
///             query = query.after(cursor);
///         }
///         let found = query.run()?;
///         let mut page = ReportPage::new();
///         for account in &found.records {
///             page.add(cells![account.reference(), account.fields.text("region")]);
///         }
///         page.next = found.next;
///         Ok(page)
///     }
/// }
///
/// kjerne_sdk::plugin!(Plugin: report);
/// # fn main() {}
/// ```
pub trait Report {
    /// The rows of a report, from the beginning or from where the page before ended: `after` is what that one
    /// said in `next`. Arguments that were not given are there without a value.
    ///
    /// # Errors
    /// `unknown-report`, `bad-argument`, or any code of the plugin's own.
    fn rows(
        context: &Context,
        report: &str,
        arguments: &Fields,
        after: Option<&str>,
    ) -> Result<ReportPage, Failure>;
}

/// Makes cards about a record or about the day; which panels there are stands in the manifest as `[[panel]]`.
///
/// ```
/// use kjerne_sdk::prelude::*;
///
/// struct Plugin;
///
/// // [[panel]]
/// // name = "size"
/// // kinds = ["account"]
/// impl Panel for Plugin {
///     fn show(
///         _: &Context,
///         _panel: &str,
///         about: Option<&RecordRef>,
///     ) -> Result<Option<Card>, Failure> {
///         let account = about.map(records::get).transpose()?.flatten();
///         Ok(account.map(|account| {
///             let employees = account.fields.integer("employees");
///             Card::new("Size").figure(Figure::new("employees", "Employees", employees))
///         }))
///     }
/// }
///
/// kjerne_sdk::plugin!(Plugin: panel);
/// # fn main() {}
/// ```
pub trait Panel {
    /// The card of a panel, about a record or the day; [`None`] when there is nothing to show.
    ///
    /// # Errors
    /// `unknown-panel`, `not-found`, or any code of the plugin's own.
    fn show(
        context: &Context,
        panel: &str,
        about: Option<&RecordRef>,
    ) -> Result<Option<Card>, Failure>;
}

/// Says how good the chances of records are. The manifest lists the kinds it scores.
///
/// ```
/// use kjerne_sdk::prelude::*;
///
/// struct Plugin;
///
/// impl Scoring for Plugin {
///     fn score(_: &Context, subjects: &[RecordRef]) -> Result<Vec<ScoredRecord>, Failure> {
///         let one = |subject: &RecordRef| {
///             let Some(lead) = records::get(subject)? else {
///                 return Ok(ScoredRecord::abstained(subject, "there is no such lead"));
///             };
///             let mut parts = vec![ScorePart::new("known", 20, "it is there")];
///             if !lead.fields.is_empty("email") {
///                 parts.push(ScorePart::new("email", 30, "we can write to them"));
///             }
///             Ok(ScoredRecord::rated(subject, Rating::of(parts)))
///         };
///         subjects.iter().map(one).collect()
///     }
/// }
///
/// kjerne_sdk::plugin!(Plugin: scoring);
/// # fn main() {}
/// ```
pub trait Scoring {
    /// Scores each of these records, or abstains with a reason; each is answered once.
    ///
    /// # Errors
    /// `bad-settings`.
    fn score(context: &Context, subjects: &[RecordRef]) -> Result<Vec<ScoredRecord>, Failure>;
}
