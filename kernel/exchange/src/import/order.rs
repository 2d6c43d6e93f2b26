//! The order in which rows are tried again that waited for one another: each after the rows it refers to, so that a
//! chain of any length is taken in one pass over them.

use std::collections::HashMap;
use std::io;

use super::convert::{Draft, Taken, convert};
use super::lookup::same;
use super::plan::Plan;
use super::rows::Row;
use super::spool::{Spool, Spooled};
use super::survey::mark;
use crate::limits::IMPORT_WAITING;
use kjerne_workspace::error::{Context as _, Result};

/// What rows give to one another: a few words of memory for each.
#[derive(Default)]
struct Links {
    /// Where each row lies.
    places: Vec<u64>,
    /// The row that holds what is looked up.
    holders: HashMap<u64, usize>,
    /// Rows, each with what it looks up.
    wanted: Vec<(usize, u64)>,
}

/// The rows of a spool in the order in which they can be taken. Those that refer to one another in a circle come
/// last, and behind them what is beyond the limit, as it was put aside.
pub fn ordered(plan: &Plan, spool: Spool) -> Result<Option<Spooled>> {
    let count = spool.count;
    let Some(mut rows) = spool.open()? else {
        return Ok(None);
    };
    let (mut links, mut at, mut row) = (Links::default(), 0, Row::default());
    let again = || -> io::Result<Spooled> {
        while links.places.len() < IMPORT_WAITING.count()
            && let Some(bytes) = rows.read_sized(&mut row)?
        {
            let draft = convert(plan, &row);
            links.add(plan, at, draft);
            at += bytes;
        }
        rows.again(links.sorted(), at, count)
    };
    again().context("cannot read the rows put aside").map(Some)
}

impl Links {
    fn add(&mut self, plan: &Plan, place: u64, taken: Taken) {
        let number = self.places.len();
        self.places.push(place);
        if let Taken::Draft(draft) = taken {
            self.link(plan, number, &draft);
        }
    }

    fn link(&mut self, plan: &Plan, number: usize, draft: &Draft) {
        for (name, by) in plan.own_lookups() {
            if let Some(Some(value)) = draft.patch.get(&name) {
                let text = same(&by, &value.to_string());
                self.holders.insert(mark("row", &name, &text), number);
            }
        }
        for (index, text) in &draft.pending {
            let lookup = plan.fields[*index].lookup.as_ref();
            if let Some(lookup) = lookup.filter(|one| one.kind.name == plan.kind.name) {
                let text = same(&lookup.by, text);
                let wanted = mark("row", &lookup.by.name, &text);
                self.wanted.push((number, wanted));
            }
        }
    }

    /// The places of the rows, each behind those it refers to.
    fn sorted(self) -> Vec<u64> {
        let count = self.places.len();
        let mut waits = vec![0_u32; count];
        let mut followers: Vec<(usize, usize)> = Vec::new();
        for (number, wanted) in self.wanted {
            if let Some(holder) = self.holders.get(&wanted).filter(|one| **one != number) {
                followers.push((*holder, number));
                waits[number] += 1;
            }
        }
        followers.sort_unstable();
        let mut order: Vec<usize> = (0..count).filter(|number| waits[*number] == 0).collect();
        let mut next = 0;
        while let Some(number) = order.get(next).copied() {
            next += 1;
            let from = followers.partition_point(|(holder, _)| *holder < number);
            for (_, follower) in followers[from..]
                .iter()
                .take_while(|(one, _)| *one == number)
            {
                waits[*follower] -= 1;
                if waits[*follower] == 0 {
                    order.push(*follower);
                }
            }
        }
        order.extend((0..count).filter(|number| waits[*number] > 0));
        order
            .into_iter()
            .map(|number| self.places[number])
            .collect()
    }
}
