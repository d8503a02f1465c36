//! Whether the certificate is in force: by its status list, by its history, by its dates.

use countersign_model::time::{Period, Timestamp};
use countersign_seal::jwt::{self, Expect, VerifyingKey};
use countersign_seal::status_list::{Claim, Status, StatusList};
use serde::Deserialize;

use super::bound::Bound;
use super::document::Pack;
use super::history::History;
use super::pins::Trust;
use super::report::{Report, Word};
use crate::steps::show::status_of;

/// How far the clock of whoever signs may be ahead of ours.
const SKEW: Period = Period::from_seconds(60);

/// Says whether it was in force when the pack was sealed, and whether its dates hold now.
pub(crate) fn check(
    pack: &Pack,
    trust: &Trust,
    (bound, history): (&Bound, Option<&History>),
    (sealed, now): (Option<Timestamp>, Timestamp),
    report: &mut Report,
) {
    if let Some((status, at)) = report.fails("status", listed(pack, trust, bound, sealed)) {
        let computed = history.map(|it| status_of(&it.record, at));
        match (status, computed) {
            (_, Some(computed)) if computed != status => {
                report.fail("status", "the status list and the log's entries disagree");
            }
            (Status::Valid, _) => report.pass("status", format!("valid at {at}")),
            (Status::Suspended, _) => {
                report.add("status", Word::NotInForce, format!("suspended at {at}"));
            }
            (Status::Invalid, _) => {
                report.add(
                    "status",
                    Word::NotInForce,
                    format!("revoked, replaced or lapsed at {at}"),
                );
            }
        }
    }
    let (signed, ends) = (bound.claims.iat, bound.claims.exp);
    let (signed, ends) = (Timestamp::from_seconds(signed), Timestamp::from_seconds(ends));
    if now + SKEW < signed {
        report.add("dates", Word::NotInForce, format!("it begins at {signed}"));
    } else if ends <= now || !bound.approved.is_current(now) {
        let ends = ends.min(bound.approved.decision().not_after);
        report.add("dates", Word::NotInForce, format!("it ended at {ends}"));
    } else {
        report.pass("dates", format!("signed at {signed}, ends at {ends}"));
    }
}

/// The claims of a status list.
#[derive(Debug, Deserialize)]
struct Listed {
    sub: String,
    iat: i64,
    status_list: Claim,
}

fn listed(
    pack: &Pack,
    trust: &Trust,
    bound: &Bound,
    sealed: Option<Timestamp>,
) -> Result<(Status, Timestamp), String> {
    let key = VerifyingKey::ed25519(trust.certificate);
    let expect = Expect { typ: Some("statuslist+jwt"), issuer: None, audience: None };
    let verified = jwt::verify(&pack.status_list, &[key], expect)
        .map_err(|it| format!("the status list's signature does not verify: {it}"))?;
    let claims: Listed = serde_json::from_value(verified.claims)
        .map_err(|it| format!("the status list cannot be read: {it}"))?;
    let place = &bound.claims.status.status_list;
    if claims.sub != place.uri {
        return Err("it is another status list than the certificate names".to_owned());
    }
    let at = Timestamp::from_seconds(claims.iat);
    if sealed.is_some_and(|it| it != at) {
        return Err("the status list is of another moment than the pack".to_owned());
    }
    let list = StatusList::from_claim(&claims.status_list).map_err(|it| it.to_string())?;
    let index = usize::try_from(place.idx).map_err(|it| it.to_string())?;
    Ok((list.get(index).map_err(|it| it.to_string())?, at))
}
