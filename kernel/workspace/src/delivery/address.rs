//! Looks names up and lets through what is out in the world: a name that stands for an address inside
//! would have a plugin talk to the machine's own network.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// A resolver that keeps private, loopback and special addresses out, unless the destination is
/// named by its literal address (which the administrator then granted as such) or is listed. What it
/// returns is what is connected to, so a second answer of the name server changes nothing.
#[derive(Debug)]
pub struct Guarded {
    private: BTreeSet<String>,
    resolver: DefaultResolver,
}

impl Guarded {
    /// A resolver by which these names may stand for private addresses.
    pub fn new(private: impl Iterator<Item = String>) -> Self {
        let private = private.map(|name| name.to_ascii_lowercase()).collect();
        Self {
            private,
            resolver: DefaultResolver::default(),
        }
    }

    fn may_be_private(&self, host: &str) -> bool {
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_ascii_lowercase();
        host == "localhost" || host.parse::<IpAddr>().is_ok() || self.private.contains(&host)
    }
}

impl Resolver for Guarded {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let found = self.resolver.resolve(uri, config, timeout)?;
        let host = uri.host().unwrap_or_default();
        if self.may_be_private(host) {
            return Ok(found);
        }
        let mut public = self.empty();
        for address in found.iter().filter(|address| is_public(address.ip())) {
            public.push(*address);
        }
        if public.is_empty() {
            return Err(Error::Other(Box::new(Inside(host.to_owned()))));
        }
        Ok(public)
    }
}

/// A name that stands for addresses inside only.
#[derive(Debug)]
struct Inside(String);

impl std::fmt::Display for Inside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} stands for a private or loopback address; list it under [send] private in the \
             workspace's kjerne.toml if that is meant",
            self.0
        )
    }
}

impl std::error::Error for Inside {}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b == 18 || b == 19));
    !special
}

/// Global unicast is 2000::/3; within it, and beside it, forms that carry a v4 address count as that
/// address.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    let v4 = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match parts {
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => v4(high, low),
        [0x2001, second, ..] => second != 0xdb8 && second >= 0x200,
        [first, ..] => (0x2000..0x4000).contains(&first),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn addresses_inside_are_told_from_those_outside() {
        let table = [
            ("1.1.1.1", true),
            ("193.71.196.1", true),
            ("127.0.0.1", false),
            ("10.1.2.3", false),
            ("172.16.0.1", false),
            ("192.168.1.1", false),
            ("169.254.169.254", false),
            ("100.64.0.1", false),
            ("0.0.0.0", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("2606:4700::1111", true),
            ("::1", false),
            ("::", false),
            ("fe80::1", false),
            ("fd00::1", false),
            ("ff02::1", false),
            ("::ffff:10.0.0.1", false),
            ("::ffff:1.1.1.1", true),
            ("64:ff9b::a00:1", false),
            ("2002:7f00:1::", false),
            ("2001:db8::1", false),
            ("2001:67c::1", true),
        ];
        for (text, public) in table {
            assert_eq!(is_public(text.parse().unwrap()), public, "{text}");
        }
    }

    #[test]
    fn only_a_literal_or_listed_host_may_be_inside() {
        let guarded = Guarded::new(["ERP.internal".to_owned()].into_iter());
        for (host, allowed) in [
            ("127.0.0.1", true),
            ("[::1]", true),
            ("localhost", true),
            ("erp.internal", true),
            ("hooks.example.com", false),
            ("127.0.0.1.example.com", false),
        ] {
            assert_eq!(guarded.may_be_private(host), allowed, "{host}");
        }
    }
}
