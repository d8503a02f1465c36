//! Is a code dead a minute after it was given?
//!
//! A code that waits in a history or a log is worth something for as long as it lives. We let one grow old, redeem it, and hold
//! what the server says about the life of its codes against the profile.
//!
//! Source: FAPI 2.0 Security Profile, section 5.3.2.1; RFC 6749, section 4.1.2; OAU-07.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::time::Period;

use super::flow::{Request, code, redeem, right};
use crate::check::{Info, Stage};
use crate::platform::FrontTrait;
use crate::probe::authz::read::{granted, no_control, nobody, refuses_grant, words};
use crate::probe::authz::{ServerCheck, Visit};

/// Is a code dead a minute after it was given?
pub(crate) static CHECK: ServerCheck = ServerCheck {
    info: &Info {
        name: "bounds_code_lifetime",
        case: Some("OAU-07"),
        controls: &["CTS-AUT-03"],
        question: "Is a code dead a minute after it was given?",
        sends: "A right code at once; a code that has become too old; a right code again. A platform that can make a copy of the client with short codes saves the wait, and says how long codes of the client itself live.",
        passes: "The old code is refused with invalid_grant, and codes live no longer than the profile allows (60 s, at tier T3 600 s).",
        risk: "A code found in a log or a history still opens the account.",
        fix: "Let codes end after 60 seconds at most.",
        source: "FAPI 2.0 Security Profile, section 5.3.2.1; RFC 6749, section 4.1.2.",
    },
    stage: Stage::Probe,
    subjects: super::subjects,
    talk: |visit| Box::pin(talk(visit)),
    judge,
};

/// Where no profile says.
const LIFE_SECONDS: u64 = 60;
const FIGURE: &str = "CTS-AUT-03.code_lifetime_seconds";

async fn talk(visit: &mut Visit<'_>) {
    let limit = visit.talk.figure(FIGURE).unwrap_or(LIFE_SECONDS);
    let Some(guest) = visit.guest(&[FrontTrait::ShortLived]).await else { return };
    let life_ms = guest.code_life_ms.unwrap_or(limit.saturating_mul(1_000));
    visit.talk.setting("life_ms", life_ms);
    if let Some(it) = guest.code_life_ms_of_original {
        visit.talk.setting("declared_ms", it);
    }
    if !right(visit, "control", &guest).await {
        return;
    }
    let Some(request) = Request::right(&guest) else { return };
    let Some(code) = code(visit, "old", &guest, &request).await else { return };
    // A second of its own where seconds are counted; a quarter where they are not.
    let margin_ms = (life_ms / 4).clamp(100, 1_000);
    visit.talk.pause("old", Period::from_millis(life_ms.saturating_add(margin_ms))).await;
    redeem(visit, "wrong.old", &guest, (&code, &request.verifier)).await;
    right(visit, "closing", &guest).await;
}

fn judge(transcript: &Transcript) -> Judgement {
    let limit = transcript.number(FIGURE).unwrap_or(LIFE_SECONDS);
    judged(transcript, limit).expected(format!("invalid_grant, and codes of {limit} s at most"))
}

fn judged(transcript: &Transcript, limit_seconds: u64) -> Judgement {
    if let Some(it) = nobody(transcript) {
        return it;
    }
    let seen = |label: &'static str| transcript.exchange(label);
    if !seen("control").is_some_and(granted) {
        return no_control(transcript, "control", "a right code");
    }
    let (Some(late), waited) = (seen("wrong.old"), transcript.waited_ms("old")) else {
        return Judgement::inconclusive("no old code was redeemed");
    };
    let life_ms = transcript.number("life_ms").unwrap_or_default();
    if granted(late) && life_ms < waited {
        let judgement = Judgement::fail(format!("a code works {waited} ms after it was given"))
            .observed(format!("{} for a code that may live {life_ms} ms", words(late)));
        return match transcript.text("repeat.old") {
            Some(it) => judgement.repeat(it),
            None => judgement,
        };
    }
    let declared = transcript.number("declared_ms");
    if let Some(it) = declared.filter(|it| limit_seconds.saturating_mul(1_000) < *it) {
        return Judgement::fail(format!("codes live {} s", it / 1_000))
            .observed("what the platform says about the client");
    }
    if !refuses_grant(late) || waited < life_ms {
        return Judgement::inconclusive("an old code has no answer that says anything")
            .observed(words(late));
    }
    if !seen("closing").is_some_and(granted) {
        return no_control(transcript, "closing", "a right code afterwards");
    }
    let own = declared.map(|it| format!("; codes of the client live {} s", it / 1_000));
    Judgement::pass("an old code is refused").observed(format!(
        "{} after {waited} ms{}",
        words(late),
        own.unwrap_or_default()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Sample, judged, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};

    const TOKEN: &str = r#"{"access_token":"[secret 0]"}"#;
    const NO: &str = r#"{"error":"invalid_grant"}"#;

    fn seen(waited: u64, late: u16, closing: u16) -> Sample {
        let text = |status| if status == 200 { TOKEN } else { NO };
        sample()
            .setting("life_ms", 1_000)
            .setting(FIGURE, 60)
            .answered("control", 200, TOKEN)
            .waited("old", waited)
            .answered("wrong.old", late, text(late))
            .answered("closing", closing, text(closing))
    }

    #[test]
    fn an_old_code_is_worth_nothing() {
        let table = [
            ("right", seen(1_250, 400, 200), Pass),
            ("right, and said so", seen(1_250, 400, 200).setting("declared_ms", 60_000), Pass),
            ("still works", seen(1_250, 200, 200), Fail),
            (
                "too long by its own words",
                seen(1_250, 400, 200).setting("declared_ms", 600_000),
                Fail,
            ),
            ("not waited for", seen(10, 400, 200), Inconclusive),
            ("broken", seen(1_250, 500, 200), Inconclusive),
            ("gone afterwards", seen(1_250, 400, 400), Inconclusive),
            ("nothing seen", sample(), Inconclusive),
        ];
        judges(&CHECK, &table);
        let judgement = judged(&CHECK, &table[1].1);
        insta::assert_snapshot!(judgement.observed, @"HTTP 400 invalid_grant after 1250 ms; codes of the client live 60 s");
    }
}
