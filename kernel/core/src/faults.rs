//! Faults as they are found: the first are told, in order of precedence, and all of them are counted.

use kjerne_model::Refusal;

use crate::limits::{FAULT_TEXT, FAULTS_TOLD};

/// A collection of faults that does not grow with what is wrong.
#[derive(Default, Debug)]
pub struct Faults {
    kept: Vec<Refusal>,
    found: usize,
}

impl Faults {
    /// Adds one.
    pub fn add(&mut self, mut fault: Refusal) {
        shorten(&mut fault.message);
        fault.field.iter_mut().for_each(shorten);
        self.kept.push(fault);
        self.found += 1;
        if self.kept.len() >= 2 * FAULTS_TOLD.count() {
            self.cut();
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found == 0
    }

    /// The first of them by precedence of their codes and then by the place of the change, those of one
    /// code and change as they were found; and where there were more, how many.
    #[must_use]
    pub fn told(mut self) -> Vec<Refusal> {
        self.cut();
        let more = self.found - self.kept.len();
        if let Some(last) = self.kept.last().filter(|_| more > 0) {
            let message = format!(
                "and {more} more faults; the first {} are told (limit {})",
                FAULTS_TOLD.value, FAULTS_TOLD.name
            );
            let mut rest = Refusal::new(last.code, message);
            rest.reason = Some(FAULTS_TOLD.name.to_owned());
            self.kept.push(rest);
        }
        self.kept
    }

    fn cut(&mut self) {
        self.kept.sort_by_key(|fault| (fault.code, fault.change));
        self.kept.truncate(FAULTS_TOLD.count());
    }
}

impl Extend<Refusal> for Faults {
    fn extend<I: IntoIterator<Item = Refusal>>(&mut self, faults: I) {
        faults.into_iter().for_each(|fault| self.add(fault));
    }
}

/// Cuts a text that repeats what it was given, which may be of any length.
pub(crate) fn shorten(text: &mut String) {
    let most = FAULT_TEXT.count();
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most));
        text.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kjerne_model::Code;

    fn told(codes: impl IntoIterator<Item = Code>) -> Vec<Refusal> {
        let mut faults = Faults::default();
        faults.extend(codes.into_iter().map(|code| Refusal::new(code, "no")));
        faults.told()
    }

    #[test]
    fn faults_are_told_to_the_number_and_counted_beyond() {
        let most = FAULTS_TOLD.count();
        assert_eq!(told([]).len(), 0);
        assert_eq!(told(vec![Code::Required; most]).len(), most);
        for more in [1, 2, most, 10 * most + 7] {
            let told = told(vec![Code::Required; most + more]);
            assert_eq!(told.len(), most + 1, "{more}");
            assert!(told[most].message.contains(&format!("{more} more")));
        }
    }

    #[test]
    fn the_first_in_precedence_is_told_wherever_it_was_found() {
        let mut codes = vec![Code::Required; 1_000];
        codes.push(Code::BadCommit);
        assert_eq!(told(codes)[0].code, Code::BadCommit);
    }

    #[test]
    fn a_text_that_repeats_what_it_was_given_is_cut() {
        let most = FAULT_TEXT.count();
        for (long, cut) in [(most, false), (most + 1, true), (7_000_000, true)] {
            let mut faults = Faults::default();
            faults.add(Refusal::new(Code::UnknownField, "ø".repeat(long / 2 + 1)).field("x"));
            let told = faults.told().remove(0).message;
            assert!(told.len() <= most + 3, "{}", told.len());
            assert_eq!(told.ends_with('…'), cut || long == most, "{long}");
        }
    }
}
