//! Signs messages as Standard Webhooks 1.0 describes: three headers, HMAC-SHA256, base64.

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use kjerne_model::Instant;

use crate::error::{Context as _, Error, Result};

/// The prefix of a signing secret; secrets are handed around without it, too.
const PREFIX: &str = "whsec_";

/// Reads base64 with its padding or without, as the libraries of the receivers do.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The headers of a signed message.
///
/// # Errors
/// When the secret is not base64 of the right length.
pub fn headers(
    secret: &str,
    id: &str,
    at: Instant,
    body: &[u8],
) -> Result<[(&'static str, String); 3]> {
    let timestamp = at.millis().div_euclid(1_000);
    Ok([
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", timestamp.to_string()),
        ("webhook-signature", signature(secret, id, timestamp, body)?),
    ])
}

fn signature(secret: &str, id: &str, timestamp: i64, body: &[u8]) -> Result<String> {
    let key = key(secret)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key)
        .map_err(|_| Error::unreadable("the signing secret is no key"))?;
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    Ok(format!(
        "v1,{}",
        STANDARD.encode(mac.finalize().into_bytes())
    ))
}

/// The bytes of a secret; the message never shows the secret.
///
/// # Errors
/// When it is not base64 of 24 to 64 bytes, which the standard asks for, after `whsec_` if it has that.
pub fn key(secret: &str) -> Result<Vec<u8>> {
    let encoded = secret.strip_prefix(PREFIX).unwrap_or(secret);
    let key = LENIENT
        .decode(encoded)
        .ok()
        .filter(|key| (24..=64).contains(&key.len()));
    key.context(
        "the signing secret is not base64 of 24 to 64 bytes, with or without the prefix whsec_",
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    /// The example every implementation of Standard Webhooks is tested with.
    #[test]
    fn the_published_vector_signs_as_published() {
        let headers = headers(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            Instant::from_millis(1_614_265_330_123),
            br#"{"test": 2432232314}"#,
        )
        .unwrap();
        assert_eq!(headers[0].1, "msg_p5jXN8AQM9LWM0D4loKWxJek");
        assert_eq!(headers[1].1, "1614265330");
        assert_eq!(
            headers[2].1,
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn a_secret_is_the_same_with_and_without_prefix_and_padding() {
        let secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNA==";
        let bare = secret.trim_start_matches(PREFIX);
        let wanted = b"0123456789012345678901234".to_vec();
        for secret in [
            secret,
            bare,
            secret.trim_end_matches('='),
            bare.trim_end_matches('='),
        ] {
            assert_eq!(key(secret).unwrap(), wanted, "{secret}");
        }
    }

    #[test]
    fn a_secret_of_another_form_is_an_error_that_keeps_it() {
        for secret in [
            "whsec_%%%",
            "whsec_c2hvcnQ=",
            "c2hvcnQ",
            "whsek_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        ] {
            let error = key(secret).unwrap_err().to_string();
            assert!(!error.contains(secret), "{error}");
        }
    }
}
