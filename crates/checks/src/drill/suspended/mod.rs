//! Is every path shut, and how fast, when trust is withdrawn?
//!
//! In an emergency nobody has the time to find out which path was forgotten. So trust is withdrawn
//! at the test tenant, on every path that the manifest has, and each path is tried until it refuses:
//! copies of the clients are disabled and their tokens revoked, redirects and webhook keys are taken
//! away, subscriptions are disabled. Before, each path was seen to be open, because a path that
//! refuses everybody proves nothing; afterwards everything is given back and seen to be open again,
//! and neither a token nor a refresh token from before may come back to life. The slowest path is the
//! recorded time.
//!
//! A path that the platform gives no way to cut or to try is named, and nothing is concluded. An
//! identity that proves itself by a certificate or a foreign token has no copy that could be made.
//! Where the platform holds no such registration, there is nothing that could answer; that is said,
//! beside a real attempt that was refused. Where it holds one, the path counts as not tried.
//!
//! Source: NIST SP 800-53r5, AC-2(3) and IR-4(1); OWASP NHI1:2025; CTS-WDR-01.

mod rows;
mod switch;

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;

use super::{seconds, subscriptions_of};
use crate::check::{Check, Info, Stage};
use crate::talk::Talk;
pub(crate) use rows::paths;
use rows::{Row, rows};

/// Is every path shut, and how fast, when trust is withdrawn?
#[derive(Debug, Clone, Copy)]
pub struct DeniesEveryPathWhenSuspended;

#[async_trait::async_trait]
impl Check for DeniesEveryPathWhenSuspended {
    fn info(&self) -> &'static Info {
        &Info {
            name: "denies_every_path_when_suspended",
            case: Some("REV-09"),
            controls: &["CTS-CRD-10", "CTS-WDR-01"],
            question: "Is every path shut, and how fast, when trust is withdrawn?",
            sends: "Throw-away copies of the clients open every path of the manifest, refresh tokens too. Then trust is withdrawn at the test tenant: clients disabled, tokens revoked, redirects and webhook keys taken away, subscriptions disabled. Each path is tried until it refuses. Then all is given back and tried once more.",
            passes: "Every path was open before, refuses within `deny_within` and the profile's limits, and is open again afterwards; no token and no refresh token from before comes back to life. Where nothing is registered that could answer, an attempt is refused.",
            risk: "In an emergency one path stays open, and nobody knows which.",
            fix: "Let the platform refuse a disabled client's tokens at once, at its API and at introspection, and cut events, webhooks and redirects with it.",
            source: "NIST SP 800-53r5, AC-2(3) and IR-4(1); OWASP NHI1:2025.",
        }
    }

    fn stage(&self) -> Stage {
        Stage::Drill
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        if manifest.paths().is_empty() {
            return Vec::new();
        }
        vec![crate::fact::MANIFEST.to_owned()]
    }

    fn exclusive(&self, _subject: &str, manifest: &Manifest) -> Option<String> {
        Some(subscriptions_of(manifest))
    }

    async fn talk(&self, _subject: &str, manifest: &Manifest, talk: &mut Talk) {
        let paths: Vec<String> = manifest.paths().iter().map(ToString::to_string).collect();
        talk.setting("paths", paths);
        talk.setting("deny_within_ms", manifest.revocation.deny_within.millis());
        talk.figure("CTS-WDR-01.issuance_seconds");
        talk.figure("CTS-WDR-01.max_seconds");
        let Some(platform) = talk.platform() else { return };
        switch::drill(talk, manifest, platform.as_ref()).await;
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let within = transcript.number("deny_within_ms").unwrap_or_default();
        let rows = rows(transcript);
        let slowest = rows.iter().filter_map(|it| Some((it.shut_after_ms()?, it.path()))).max();
        let slowest = slowest.map(|(ms, path)| format!("slowest: {path}, {}", seconds(ms)));
        let details = rows.iter().map(ToString::to_string).chain(slowest);
        let details: Vec<String> = details.collect();
        decide(transcript, &rows)
            .expected(format!("every path refuses within {}, and is back afterwards", seconds(within)))
            .details(details)
            .at("revocation.deny_within")
            .repeat("disable the client at the test tenant, revoke its tokens, disable its subscriptions, take away redirects and webhook keys; then try each path")
    }
}

fn decide(transcript: &Transcript, rows: &[Row]) -> Judgement {
    if rows.is_empty() {
        return Judgement::inconclusive("no path was looked at");
    }
    let named = |of: &dyn Fn(&Row) -> bool| -> Vec<String> {
        rows.iter().filter(|it| of(it)).map(ToString::to_string).collect()
    };
    let open = named(&Row::stays_open);
    let not_cut = transcript.facts("cut").find_map(|it| it.value.get("error")?.as_str());
    if let Some(error) = not_cut {
        return Judgement::inconclusive("the platform did not cut everything").observed(error);
    }
    if !open.is_empty() {
        return Judgement::fail("a path stays open when trust is withdrawn")
            .observed(open.join("; "));
    }
    if let Some(risen) = transcript.fact("risen").and_then(|it| it.as_str()) {
        return Judgement::fail("a token from before is alive again after a suspension")
            .observed(risen);
    }
    let unseen = named(&Row::is_unseen);
    if !unseen.is_empty() {
        return Judgement::inconclusive("not every path could be seen to shut")
            .observed(unseen.join("; "));
    }
    let slowest = rows.iter().filter_map(Row::shut_after_ms).max();
    let Some(slowest) = slowest else {
        return Judgement::inconclusive("no path was seen to be open, so no refusal says anything");
    };
    let denied = rows.iter().filter(|it| it.shut_after_ms().is_some()).count();
    let mut observed =
        format!("denied on {denied} of {} paths in {}", rows.len(), seconds(slowest));
    for it in named(&|it| it.shut_after_ms().is_none()) {
        observed.push_str("; ");
        observed.push_str(&it);
    }
    Judgement::pass("every path refuses when trust is withdrawn").observed(observed)
}

#[cfg(test)]
mod tests {
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};
    use serde_json::{Value, json};

    use super::*;
    use crate::sample::{Sample, judged, judges, sample};

    const MINT: &str = "token-mint oauth:a";
    const USE: &str = "token-use oauth:a";
    const ASSERTION: &str = "assertion-in x509:a";

    fn row(path: &str, came: &str, seen: &str, after_ms: u64) -> Value {
        json!({"path": path, "came": came, "seen": seen, "after_ms": after_ms})
    }

    /// Both paths are open, are cut, and are back.
    fn right(paths: &[&str]) -> Sample {
        let mut sample = sample().setting("paths", json!(paths)).setting("deny_within_ms", 5_000);
        for path in [MINT, USE] {
            sample = sample
                .fact("open", row(path, "open", "HTTP 200", 0))
                .fact("shut", row(path, "shut", "HTTP 401", 410))
                .fact("restored", row(path, "open", "HTTP 200", 0));
        }
        sample
    }

    #[test]
    fn every_path_has_to_be_open_then_shut_then_open() {
        let only_mint = || {
            sample()
                .setting("paths", json!([MINT, USE]))
                .setting("deny_within_ms", 5_000)
                .fact("open", row(MINT, "open", "HTTP 200", 0))
                .fact("shut", row(MINT, "shut", "HTTP 401", 410))
                .fact("restored", row(MINT, "open", "HTTP 200", 0))
        };
        let open = || only_mint().fact("open", row(USE, "open", "HTTP 200", 0));
        let nothing_there = |seen: &str| {
            right(&[MINT, USE, ASSERTION]).fact("unregistered", row(ASSERTION, seen, "HTTP 401", 0))
        };
        judges(
            &DeniesEveryPathWhenSuspended,
            &[
                ("right", right(&[MINT, USE]), Pass),
                (
                    "a path that nobody looked at",
                    right(&[MINT, USE, "event-out sub:x"]),
                    Inconclusive,
                ),
                (
                    "refused before",
                    only_mint().fact("open", row(USE, "shut", "HTTP 403", 0)),
                    Inconclusive,
                ),
                (
                    "no way to try",
                    only_mint().fact("open", row(USE, "unable", "no way", 0)),
                    Inconclusive,
                ),
                ("stays open", open().fact("shut", row(USE, "open", "HTTP 200", 5_010)), Fail),
                (
                    "breaks",
                    open().fact("shut", row(USE, "unclear", "HTTP 500", 5_010)),
                    Inconclusive,
                ),
                ("too late", open().fact("shut", row(USE, "shut", "HTTP 401", 5_010)), Fail),
                (
                    "does not come back",
                    open()
                        .fact("shut", row(USE, "shut", "HTTP 401", 10))
                        .fact("restored", row(USE, "shut", "HTTP 401", 10)),
                    Inconclusive,
                ),
                (
                    "rises again",
                    right(&[MINT, USE]).fact("risen", json!("oauth:a: HTTP 200")),
                    Fail,
                ),
                (
                    "not cut",
                    right(&[MINT, USE]).fact("cut", json!({"error": "timed out"})),
                    Inconclusive,
                ),
                ("nothing registered", nothing_there("shut"), Pass),
                ("accepted without a credential", nothing_there("open"), Fail),
                ("not registered, and broken", nothing_there("unclear"), Inconclusive),
                (
                    "nothing registered anywhere",
                    sample()
                        .setting("paths", json!([ASSERTION]))
                        .fact("unregistered", row(ASSERTION, "shut", "HTTP 401", 0)),
                    Inconclusive,
                ),
                (
                    "platform down",
                    sample().fact("platform", json!({"error": "none"})),
                    Inconclusive,
                ),
            ],
        );
    }

    #[test]
    fn tokens_end_as_soon_as_the_profile_wants() {
        let slow = || right(&[MINT, USE]).setting("deny_within_ms", 60_000);
        let issuance = slow().setting("CTS-WDR-01.issuance_seconds", 0);
        let all = slow().setting("CTS-WDR-01.max_seconds", 0);
        judges(
            &DeniesEveryPathWhenSuspended,
            &[("slow", slow(), Pass), ("issuance", issuance, Fail), ("all", all, Fail)],
        );
    }

    #[test]
    fn the_figure_says_how_many_and_how_fast() {
        let sample = right(&[MINT, USE, ASSERTION])
            .fact("unregistered", row(ASSERTION, "shut", "HTTP 401", 0));
        let judgement = judged(&DeniesEveryPathWhenSuspended, &sample);
        insta::assert_snapshot!(judgement.observed, @"denied on 2 of 3 paths in 0.41 s; assertion-in x509:a: nothing is registered that could answer; an attempt came to HTTP 401");
        insta::assert_snapshot!(judgement.details.join("\n"), @r"
        token-mint oauth:a: refused after 0.41 s (HTTP 401)
        token-use oauth:a: refused after 0.41 s (HTTP 401)
        assertion-in x509:a: nothing is registered that could answer; an attempt came to HTTP 401
        slowest: token-use oauth:a, 0.41 s
        ");
    }

    #[test]
    fn a_refresh_token_is_a_way_in() {
        const REFRESH: &str = "token-refresh oauth:a";
        let open = || right(&[MINT, USE]).fact("open", row(REFRESH, "open", "HTTP 200", 0));
        let shut = || open().fact("shut", row(REFRESH, "shut", "HTTP 401", 12));
        let back = || shut().fact("restored", row(REFRESH, "open", "HTTP 200", 0));
        judges(
            &DeniesEveryPathWhenSuspended,
            &[
                ("right", back(), Pass),
                ("stays open", open().fact("shut", row(REFRESH, "open", "HTTP 200", 5_010)), Fail),
                ("not tried again", open(), Inconclusive),
                ("does not come back", shut(), Inconclusive),
                (
                    "rises again",
                    back().fact("risen", json!("refresh token of oauth:a: HTTP 200")),
                    Fail,
                ),
            ],
        );
        insta::assert_snapshot!(judged(&DeniesEveryPathWhenSuspended, &back()).observed, @"denied on 3 of 3 paths in 0.41 s");
    }
}
