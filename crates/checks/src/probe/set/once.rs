//! Does a security event that comes twice take effect once?
//!
//! Transmitters push again when an answer gets lost, and attackers push again what they saw. The `jti` is there
//! so that only the first counts. The event goes again as it was, and signed anew with the same `jti`.
//!
//! Source: RFC 8935, section 2; RFC 8417, section 2.2; SET-06.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_model::time::Period;

use super::event::{Event, Maker};
use super::judge::{Case, Wanted, judge};
use super::visit::visit;
use crate::check::{Check, Info, Stage};
use crate::talk::Talk;

/// Does a security event that comes twice take effect once?
#[derive(Debug, Clone, Copy)]
pub struct AppliesReplayedSecurityEventOnce;

const CASE: Case = Case {
    wanted: Wanted::OneEffect,
    one: "a replayed event",
    none: "no replayed event",
    expected: "HTTP 202, and one effect",
};

#[async_trait::async_trait]
impl Check for AppliesReplayedSecurityEventOnce {
    fn info(&self) -> &'static Info {
        &Info {
            name: "applies_replayed_security_event_once",
            case: Some("SET-06"),
            controls: &["CTS-SET-01"],
            question: "Does a security event that comes twice take effect once?",
            sends: "A right event, the same one again, and one with the same `jti` signed anew.",
            passes: "Any clear answer (RFC 8935 wants 202), and exactly one effect in the feed.",
            risk: "An attacker who saw one event can make it happen again and again.",
            fix: "Remember the `jti` of events, and act on each once; acknowledge the others with 202.",
            source: "RFC 8935, section 2; RFC 8417, section 2.2; SET-06.",
        }
    }

    fn stage(&self) -> Stage {
        Stage::Probe
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        super::subjects(manifest)
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        if let Some(mut visit) = visit(subject, manifest, talk).await {
            visit.run(wrong).await;
        }
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        judge(transcript, &CASE)
    }
}

fn wrong(maker: &Maker, control: &Event) -> Option<Vec<(&'static str, Event)>> {
    let mut claims = control.claims.clone();
    claims["iat"] = (maker.now + Period::from_seconds(1)).seconds().into();
    let anew = maker.sign(control.jti.clone(), control.header.clone(), claims)?;
    Some(vec![("same-event", control.clone()), ("same-jti-signed-anew", anew)])
}
