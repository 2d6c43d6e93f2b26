//! Answers every task that is made with another one.

use kjerne_sdk::prelude::*;

struct Plugin;

impl React for Plugin {
    fn react(_: &Context, entries: &[Entry], effects: &Effects) -> Result<(), Failure> {
        let made = entries.iter().flat_map(|entry| &entry.edits);
        for _ in made.filter(|edit| edit.operation == Operation::Create) {
            effects.create(
                "task",
                [("subject", "Echo".into()), ("status", "open".into())],
            )?;
        }
        Ok(())
    }
}

kjerne_sdk::plugin!(Plugin: react);
