//! An answer that is a list, written item by item: what stands in memory is its text, and one item.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value as Json};

/// The text of `{"NAME": [...], ...}` while it grows.
pub(crate) struct Listing {
    text: String,
    empty: bool,
}

impl Listing {
    /// Begins a list of that name.
    pub(crate) fn new(name: &str) -> Self {
        Self {
            text: format!("{{\"{name}\":["),
            empty: true,
        }
    }

    /// Adds an item.
    pub(crate) fn add(&mut self, item: &Json) {
        if !self.empty {
            self.text.push(',');
        }
        self.empty = false;
        self.text.push_str(&item.to_string());
    }

    /// Ends the list; what else the answer says stands behind it.
    pub(crate) fn end(mut self, rest: Map<String, Json>) -> Response {
        self.text.push(']');
        for (name, value) in rest {
            self.text
                .push_str(&format!(",{}:{value}", Json::String(name)));
        }
        self.text.push('}');
        let form = [(header::CONTENT_TYPE, "application/json")];
        (form, self.text).into_response()
    }
}

/// What else a page says.
pub(crate) fn rest<const N: usize>(words: [(&str, Json); N]) -> Map<String, Json> {
    let words = words.into_iter();
    words
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_list_written_item_by_item_reads_as_one() {
        for items in [json!([]), json!([1]), json!([{"a": "\"}"}, null, "x"])] {
            let mut listing = Listing::new("items");
            items
                .as_array()
                .into_iter()
                .flatten()
                .for_each(|item| listing.add(item));
            listing.text.push_str("]}");
            let read: Result<Json, _> = serde_json::from_str(&listing.text);
            assert_eq!(read.ok(), Some(json!({ "items": items })));
        }
    }
}
