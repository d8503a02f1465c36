//! Does a refresh token that comes twice end its whole family?
//!
//! When a refresh token comes twice, one of the two is a thief. Nobody can tell which, so both have to lose. We
//! refresh once, present the old refresh token again, and then the new one.
//!
//! Source: RFC 9700, section 4.14.2; OAU-08.

use countersign_model::check::{Judgement, Transcript};
use serde_json::{Value, json};

use super::another_client::{may_refresh, refreshing};
use crate::check::{Info, Stage};
use crate::probe::authz::read::{
    granted, no_control, no_refresh_token, nobody, refuses_grant, words,
};
use crate::probe::authz::{ServerCheck, Visit};
use crate::probe::token::says;

/// Does a refresh token that comes twice end its whole family?
pub(crate) static CHECK: ServerCheck = ServerCheck {
    info: &Info {
        name: "ends_family_of_replayed_refresh_token",
        case: Some("OAU-08"),
        controls: &["CTS-CRD-03"],
        question: "Does a refresh token that comes twice end its whole family?",
        sends: "A right refresh; the old refresh token again; then the new one; and a new grant with a right refresh at the end.",
        passes: "The old refresh token is refused, and the new one from then on too. A confidential client whose refresh tokens are not replaced, and are not declared to be, is not asked.",
        risk: "A thief who copies a refresh token keeps access for as long as its owner does, unseen.",
        fix: "Replace refresh tokens at each use, and when a used one comes again, revoke everything that came from the same grant.",
        source: "RFC 9700, section 4.14.2.",
    },
    stage: Stage::Probe,
    subjects: refreshing,
    talk: |visit| Box::pin(talk(visit)),
    judge,
};

async fn talk(visit: &mut Visit<'_>) {
    // A public client has nothing but this; where there is none, another has to do.
    let public = |it: &crate::probe::authz::Party| it.is_public() && may_refresh(it);
    let party = match visit.find(public).await {
        Some(it) => it,
        None => match visit.party(may_refresh).await {
            Some(it) => it,
            None => return,
        },
    };
    let Some(first) = visit.refreshable("begun", &party).await.and_then(|it| it.refresh) else {
        return;
    };
    let Some(next) = visit.refresh("first", &party, &first).await else { return };
    let second = next.refresh.filter(|it| *it != first);
    let fact = json!({
        "replaced": second.is_some(), "public": party.is_public(),
        "declared": visit.declares_rotation(),
    });
    visit.talk.fact("rotation", "server", fact);
    let Some(second) = second else { return };
    visit.refresh("again", &party, &first).await;
    visit.refresh("family", &party, &second).await;
    if let Some(token) = visit.refreshable("anew", &party).await.and_then(|it| it.refresh) {
        visit.refresh("closing", &party, &token).await;
    }
}

fn judge(transcript: &Transcript) -> Judgement {
    let expected = "the old refresh token is refused, and the new one after it";
    judged(transcript).expected(expected)
}

fn judged(transcript: &Transcript) -> Judgement {
    if let Some(it) = nobody(transcript).or_else(|| no_refresh_token(transcript)) {
        return it;
    }
    let seen = |label: &'static str| transcript.exchange(label);
    if !seen("first").is_some_and(granted) {
        return no_control(transcript, "first", "a right refresh");
    }
    let rotation = transcript.fact("rotation");
    if !says(rotation, "replaced") {
        return unreplaced(rotation);
    }
    let failed = |label: &'static str, sentence: &str| {
        let observed = seen(label).map(words).unwrap_or_default();
        let judgement = Judgement::fail(sentence).observed(format!("{observed} for `{label}`"));
        match transcript.text(&format!("repeat.{label}")) {
            Some(it) => judgement.repeat(it),
            None => judgement,
        }
    };
    if seen("again").is_some_and(granted) {
        return failed("again", "a refresh token works twice");
    }
    if !seen("again").is_some_and(refuses_grant) {
        return unclear(transcript, "again");
    }
    if seen("family").is_some_and(granted) {
        return failed("family", "the family of a replayed refresh token lives on");
    }
    if !seen("family").is_some_and(refuses_grant) {
        return unclear(transcript, "family");
    }
    if !seen("closing").is_some_and(granted) {
        return no_control(transcript, "closing", "a right refresh afterwards");
    }
    let observed = ["again", "family"].map(|it| seen(it).map(words).unwrap_or_default());
    Judgement::pass("a replayed refresh token ends its family")
        .observed(format!("{}, then {} for the new one", observed[0], observed[1]))
}

fn unreplaced(rotation: Option<&Value>) -> Judgement {
    let observed = "the same refresh token, or none, after a refresh";
    if says(rotation, "public") {
        return Judgement::fail("a public client's refresh token is not replaced")
            .observed(observed);
    }
    if says(rotation, "declared") {
        return Judgement::fail("refresh tokens are declared to be replaced, and are not")
            .observed(observed);
    }
    Judgement::not_applicable(
        "the client proves itself, and nothing says that its refresh tokens are replaced",
    )
    .observed(observed)
}

fn unclear(transcript: &Transcript, label: &str) -> Judgement {
    let observed = transcript.exchange(label).map_or("nothing".to_owned(), words);
    Judgement::inconclusive("a refresh has no answer that says anything")
        .observed(format!("{observed} for `{label}`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Sample, judged, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, NotApplicable, Pass};

    const TOKEN: &str = r#"{"access_token":"[secret 0]"}"#;

    fn seen(again: u16, family: u16, closing: u16) -> Sample {
        let text = |status| if status == 200 { TOKEN } else { r#"{"error":"invalid_grant"}"# };
        sample()
            .answered("first", 200, TOKEN)
            .fact("rotation", json!({"replaced": true, "public": true, "declared": false}))
            .answered("again", again, text(again))
            .answered("family", family, text(family))
            .answered("closing", closing, text(closing))
    }

    fn same(rotation: [bool; 2]) -> Sample {
        let [public, declared] = rotation;
        let rotation = json!({"replaced": false, "public": public, "declared": declared});
        sample().answered("first", 200, TOKEN).fact("rotation", rotation)
    }

    #[test]
    fn a_replay_ends_the_family() {
        let table = [
            ("right", seen(400, 400, 200), Pass),
            ("works twice", seen(200, 400, 200), Fail),
            ("the family lives on", seen(400, 200, 200), Fail),
            ("broken", seen(500, 400, 200), Inconclusive),
            ("broken later", seen(400, 503, 200), Inconclusive),
            ("gone afterwards", seen(400, 400, 400), Inconclusive),
            ("public, not replaced", same([true, false]), Fail),
            ("declared, not replaced", same([false, true]), Fail),
            ("confidential, not replaced", same([false, false]), NotApplicable),
            ("no refresh token", sample().setting("no_refresh_token", true), Inconclusive),
            ("nothing seen", sample(), Inconclusive),
        ];
        judges(&CHECK, &table);
        let judgement = judged(&CHECK, &table[2].1);
        insta::assert_snapshot!(judgement.sentence, @"the family of a replayed refresh token lives on");
        insta::assert_snapshot!(judgement.observed, @"HTTP 200 for `family`");
    }
}
