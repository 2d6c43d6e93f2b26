//! Requests in bad faith or from a broken client.
