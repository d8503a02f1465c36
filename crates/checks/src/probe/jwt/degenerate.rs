//! Does the resource server refuse an ECDSA signature that is none?
//!
//! A verifier that does not ask whether r and s are numbers between 0 and the order takes a signature of zeros for one of every key (CVE-2022-21449). One that takes DER as well takes two signatures for one. A high s is valid in ES256: what comes of it is told.
//!
//! Source: RFC 8725, section 3.4; RFC 7518, section 3.4; JWT-14.

use countersign_model::declare::manifest::{Resource, TokenAlg};
use serde_json::Value;

use super::bench::{Bench, Token, input, raw};
use super::hear::Refuses;
use crate::check::Info;
use crate::probe::refusal::{Refusals, no, success};

pub(super) const CHECK: Refuses = Refuses {
    info: &Info {
        name: "refuses_degenerate_signature",
        case: Some("JWT-14"),
        controls: &["CTS-TOK-01"],
        question: "Does the resource server refuse an ECDSA signature that is none?",
        sends: "A right token, then its header and claims under signatures with r = s = 0, r or s = 0, r or s = n, and in DER, for information the right signature with its high s, then a right token again.",
        passes: "Both right tokens are accepted, and each of the others is answered with 401 or 403.",
        risk: "Anybody can sign a token as the issuer.",
        fix: "Use a current library that checks 1 <= r, s < n, and accept only the 64 bytes of RFC 7518.",
        source: "RFC 8725, section 3.4; RFC 7518, section 3.4; JWT-14.",
    },
    case: Refusals {
        one: "a degenerate signature",
        none: "no degenerate signature",
        expected: "401 or 403",
        taken: success,
        refused: no,
        breaking_fails: false,
    },
    applies: is_es256,
    wrong: &[
        ("zeros", |it| forged(it, "r = s = 0", |_, _| [ZERO, ZERO].concat())),
        ("r-zero", |it| forged(it, "r = 0", |_, s| [&ZERO, s].concat())),
        ("s-zero", |it| forged(it, "s = 0", |r, _| [r, &ZERO].concat())),
        ("r-order", |it| forged(it, "r = n", |_, s| [&ORDER, s].concat())),
        ("s-order", |it| forged(it, "s = n", |r, _| [r, &ORDER].concat())),
        ("der", |it| forged(it, "the right signature in DER", der)),
    ],
    noted: &[("high-s", high_s)],
    limit_ms: None,
};

fn is_es256(resource: &Resource) -> bool {
    resource.alg == TokenAlg::Es256
}

/// A token whose right signature was made into another one.
fn forged(bench: &Bench, words: &str, make: fn(&[u8], &[u8]) -> Vec<u8>) -> Option<Token> {
    let header = Value::Object(bench.header()).to_string();
    let claims = Value::Object(bench.claims()).to_string();
    let right = bench.signer.sign(input(&header, &claims).as_bytes())?;
    let (r, s) = right.split_at_checked(32)?;
    Some(raw(&header, &claims, &make(r, s), &format!("signature: {words}")))
}

/// The other right signature: n - s, where that is the higher one.
fn high_s(bench: &Bench) -> Option<Token> {
    forged(bench, "the right one with its high s", |r, s| {
        let other = from_order(s);
        [r, if s < other.as_slice() { &other } else { s }].concat()
    })
}

/// n minus a number below it.
fn from_order(number: &[u8]) -> Vec<u8> {
    let mut result = vec![0; ORDER.len()];
    let mut borrow = 0_i16;
    for index in (0..ORDER.len()).rev() {
        let taken = number.get(index).copied().unwrap_or_default();
        let digit = i16::from(ORDER[index]) - i16::from(taken) - borrow;
        borrow = i16::from(digit < 0);
        result[index] = u8::try_from(digit.rem_euclid(256)).unwrap_or_default();
    }
    result
}

/// SEQUENCE of two INTEGERs (X.690).
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let numbers = [integer(r), integer(s)].concat();
    let length = u8::try_from(numbers.len()).unwrap_or_default();
    [&[0x30, length], numbers.as_slice()].concat()
}

fn integer(number: &[u8]) -> Vec<u8> {
    let mut bytes: Vec<u8> = number.iter().copied().skip_while(|it| *it == 0).collect();
    if bytes.first().is_none_or(|it| 0x80 <= *it) {
        bytes.insert(0, 0);
    }
    let length = u8::try_from(bytes.len()).unwrap_or_default();
    [&[0x02, length], bytes.as_slice()].concat()
}

const ZERO: [u8; 32] = [0; 32];
/// The order of P-256 (NIST SP 800-186, section 3.2.1.3).
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_s_is_the_order_less_s() {
        let mut one = ZERO;
        one[31] = 1;
        let most = from_order(&one);
        assert_eq!(most[..31], ORDER[..31]);
        assert_eq!(most[31], 0x50);
        assert_eq!(from_order(&most), one);
        let mut two_bytes = ZERO;
        two_bytes[30] = 0x26;
        assert_eq!(from_order(&from_order(&two_bytes)), two_bytes, "with a borrow");
    }

    #[test]
    fn numbers_are_written_as_short_as_der_wants_them() {
        assert_eq!(integer(&[0, 0, 1]), [2, 1, 1]);
        assert_eq!(integer(&[0x80]), [2, 2, 0, 0x80]);
        assert_eq!(der(&[1], &[0x80]), [0x30, 7, 2, 1, 1, 2, 2, 0, 0x80]);
    }
}
