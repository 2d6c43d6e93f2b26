//! How a message to another system says which place it has in a chain of messages and reactions. A
//! workspace like this one, or this very one, goes on counting from there; nobody else needs to know.

use kjerne_store::Link;

/// The header that says so. The kernel sets it; no plugin can.
pub const HEADER: &str = "kjerne-chain";

/// What the header says of a message.
#[must_use]
pub fn written(link: Link) -> String {
    format!("depth={}, follow-ups={}", link.depth, link.follow_ups)
}

/// The place of a message that came with this header, as far as it is known here: which entry of the
/// sender's journal led to it is not. None when the header says something else.
#[must_use]
pub fn read(text: &str) -> Option<Link> {
    let (depth, follow_ups) = text.strip_prefix("depth=")?.split_once(", follow-ups=")?;
    Some(Link {
        entry: 0,
        depth: number(depth)?,
        follow_ups: number(follow_ups)?,
    })
}

/// So few digits that what is counted on stays a number.
fn number(text: &str) -> Option<u32> {
    let digits = text.len() <= 6 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let link = Link {
            entry: 7,
            depth: 3,
            follow_ups: 12,
        };
        assert_eq!(written(link), "depth=3, follow-ups=12");
        assert_eq!(read(&written(link)), Some(Link { entry: 0, ..link }));
        for text in [
            "",
            "3",
            "depth=3",
            "depth=, follow-ups=1",
            "depth=+1, follow-ups=1",
            "depth=-1, follow-ups=1",
            "depth=1, follow-ups=4294967295",
            "depth=1, follow-ups=1, more=1",
            "Depth=1, follow-ups=1",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }
}
