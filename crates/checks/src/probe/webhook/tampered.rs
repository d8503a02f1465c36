//! Does the receiver refuse an event whose body was changed?
//!
//! A signature that does not cover the body as it came says who sent something, not what.
//!
//! Source: Standard Webhooks 1.0, "Signature scheme"; RFC 9421, section 7.2.8 (the digest has to be compared with the body); WHK-03.

use countersign_seal::scheme::WebhookError;

use super::canary::{CANARY, Message, Workshop};
use super::hear::{PLAN, Plan, Sent, wrong};
use super::judge::Case;
use super::receiver::{Receiver, every};
use crate::check::Info;

/// Does the receiver refuse an event whose body was changed?
pub(super) static CHECK: Receiver = Receiver {
    info: &Info {
        name: "refuses_tampered_webhook_body",
        case: Some("WHK-03"),
        controls: &["CTS-WHK-01"],
        question: "Does the receiver refuse an event whose body was changed?",
        sends: "A right event; right events whose body differs by one byte, and by white space alone, from what was signed; with HTTP message signatures also one whose digest was changed along with the body; a right event.",
        passes: "A right event is accepted before and after, and has its effect. None of the wrong ones has one: 4xx, or a 2xx that does nothing.",
        risk: "Whoever sits in between can change what an event says and who it is about.",
        fix: "Verify over the bytes of the body as they came, before reading them. With HTTP message signatures, compare the digest with the body too.",
        source: r#"Standard Webhooks 1.0, "Signature scheme"; RFC 9421, section 7.2.8 (the digest has to be compared with the body); WHK-03."#,
    },
    about: every,
    plan: Plan { sends, ..PLAN },
    case: Case::no_effect("a tampered webhook", "no tampered webhook"),
};

fn sends(workshop: &Workshop<'_>, _: &Message) -> Result<Vec<Sent>, WebhookError> {
    let mut other = workshop.right("other")?;
    let mut spaced = workshop.right("spaced")?;
    other.sealed.body = changed(&other.sealed.body);
    spaced.sealed.body = respaced(&spaced.sealed.body);
    let mut all = vec![wrong("one-byte", other), wrong("other-spacing", spaced)];
    // Where the headers hold a digest of the body, whoever changes the one can change the other.
    let moved = workshop.right("moved")?;
    let entry = workshop.entry(&moved, &workshop.key)?;
    let body = changed(&moved.body);
    let along = workshop.with(&Message { body, ..moved.clone() }, &[entry]);
    if along.sealed.headers != moved.sealed.headers {
        all.push(wrong("one-byte-and-digest", along));
    }
    Ok(all)
}

/// The same JSON about somebody else: one letter of a name differs, or one digit of its time where
/// no name is declared.
fn changed(body: &[u8]) -> Vec<u8> {
    let mut body = body.to_vec();
    let name = body.windows(CANARY.len()).position(|it| it == CANARY).map(|it| it + CANARY.len());
    let place = name.or_else(|| body.iter().rposition(u8::is_ascii_digit));
    if let Some(byte) = place.and_then(|it| body.get_mut(it)) {
        *byte = if *byte == b'0' { b'1' } else { b'0' };
    }
    body
}

/// The same JSON with other spacing.
fn respaced(body: &[u8]) -> Vec<u8> {
    let value = serde_json::from_slice::<serde_json::Value>(body).ok();
    value
        .and_then(|it| serde_json::to_vec_pretty(&it).ok())
        .unwrap_or_else(|| [body, b"\n"].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_is_wrong_in_its_own_way() {
        insta::assert_snapshot!(super::super::sample::refusals(sends), @r"
        one-byte: no signature matches
        other-spacing: no signature matches
        ");
        super::super::sample::holds_for_every_scheme(&CHECK);
    }
}
