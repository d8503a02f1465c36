//! GitHub's audit log of an organisation or an enterprise.
//!
//! Source: GitHub Docs, "Audit log events for your enterprise"; "Identifying audit log events performed by an access token".

use super::super::record::{Record, Told};
use super::super::tree::Object;
use super::{About, Format};

/// Events of GitHub's audit log.
#[derive(Debug)]
pub(super) struct GitHub;

impl Format for GitHub {
    fn about(&self) -> &'static About {
        &About {
            name: "github-audit",
            title: "GitHub audit log",
            source: "GitHub Docs, \"Audit log events for your enterprise\"",
            cannot: &[
                ("expires_at", "an event does not tell when its token ends"),
                ("issued_at", "an event does not tell when its token was issued"),
                ("grant", "an event tells the kind of token, and not how it was asked for"),
                ("key_id", "an event tells the token, and not the key it was asked for with"),
                ("seq", "events are not numbered"),
            ],
        }
    }

    fn fits(&self, object: &Object<'_>) -> bool {
        object.has("@timestamp") && object.has("action")
    }

    fn record<'a>(&self, object: Object<'a>) -> Record<'a> {
        let mut record = Record::granted();
        record.event_id = object.text("_document_id");
        record.time = record.moment_of("time", object.get("@timestamp"));
        record.action = object.text("action");
        record.told = Some(told(record.action.as_deref().unwrap_or_default()));
        let apps = ["oauth_application_id", "application_client_id", "integration_id"];
        let person = object.text("actor");
        record.client_id =
            apps.into_iter().find_map(|it| object.text(it)).or_else(|| person.clone());
        record.actor = person;
        record.subject = object.text("actor_id");
        record.token_id = object.text("token_id");
        record.token_hash = object.text("hashed_token");
        record.scopes = object.get("token_scopes").listed();
        record.at_address(object.text("actor_ip"));
        record.agent = object.text("user_agent");
        record.auth = object.text("programmatic_access_type");
        record.resource = ["repo", "repository", "org"].into_iter().find_map(|it| object.text(it));
        let kept = ["business", "operation_type", "org", "request_id", "transport_protocol_name"];
        record.keep(&object, &kept);
        record
    }
}

fn told(action: &str) -> Told {
    match action {
        "oauth_access.create"
        | "oauth_authorization.create"
        | "personal_access_token.create"
        | "personal_access_token.access_granted" => Told::Request,
        "oauth_access.destroy"
        | "oauth_access.revoke"
        | "oauth_authorization.destroy"
        | "personal_access_token.access_revoked"
        | "personal_access_token.destroy" => Told::Revocation,
        _ => Told::Use,
    }
}

/// A whole record.
#[cfg(test)]
pub(super) const SAMPLE: &str = r#"{"@timestamp":1795000031000,"_document_id":"Xk3example","action":"git.clone","actor":"acme-bot","actor_id":9001,"actor_ip":"198.51.100.24","org":"example","repo":"example/core","programmatic_access_type":"OAuth access token","hashed_token":"dXNlLXNoYTI1Ni1vZi10aGUtdG9rZW4tYmFzZTY0PT0=","token_id":77001,"token_scopes":"repo","oauth_application_id":31337,"user_agent":"git/2.46","transport_protocol_name":"http","operation_type":"access","request_id":"AB12:34CD:0001:0002:691C3F10"}"#;

#[cfg(test)]
mod tests {
    use super::super::tests::{shown, with};
    use super::*;
    use serde_json::{Value as Json, json};

    #[test]
    fn events_of_the_audit_log() {
        let rows = [
            SAMPLE.to_owned(),
            with(SAMPLE, "/action", "oauth_access.create".into()),
            with(SAMPLE, "/action", "oauth_authorization.destroy".into()),
            with(SAMPLE, "/oauth_application_id", Json::Null),
            with(SAMPLE, "/token_scopes", "repo,read:org, gist".into()),
            with(SAMPLE, "/actor_ip", "a \"place\"\n".into()),
            with(SAMPLE, "/@timestamp", json!(1_798_761_599_999_u64)),
            with(SAMPLE, "/@timestamp", Json::Null),
        ];
        let seen: Vec<String> = rows.iter().map(|it| shown(it)).collect();
        insta::assert_snapshot!(seen.join("\n"), @r#"
        github-audit Use time=2026-11-18T11:07:11.000Z event="Xk3example" client="31337" token_id="77001" hash="dXNlLXNoYTI1Ni1vZi10aGUtdG9rZW4tYmFzZTY0PT0=" actor="acme-bot" subject="9001" auth="OAuth access token" agent="git/2.46" action="git.clone" resource="example/core" scope=repo ip=198.51.100.24 operation_type:"access" org:"example" request_id:"AB12:34CD:0001:0002:691C3F10" transport_protocol_name:"http"
        github-audit Request time=2026-11-18T11:07:11.000Z event="Xk3example" client="31337" token_id="77001" hash="dXNlLXNoYTI1Ni1vZi10aGUtdG9rZW4tYmFzZTY0PT0=" actor="acme-bot" subject="9001" auth="OAuth access token" agent="git/2.46" action="oauth_access.create" resource="example/core" scope=repo ip=198.51.100.24 operation_type:"access" org:"example" request_id:"AB12:34CD:0001:0002:691C3F10" transport_protocol_name:"http"
        github-audit Revocation time=2026-11-18T11:07:11.000Z event="Xk3example" client="31337" token_id="77001" hash="dXNlLXNoYTI1Ni1vZi10aGUtdG9rZW4tYmFzZTY0PT0=" actor="acme-bot" subject="9001" auth="OAuth access token" agent="git/2.46" action="oauth_authorization.destroy" resource="example/core" scope=repo ip=198.51.100.24 operation_type:"access" org:"example" request_id:"AB12:34CD:0001:0002:691C3F10" transport_protocol_name:"http"
        github-audit Use time=2026-11-18T11:07:11.000Z event="Xk3example" client="acme-bot" token_id="77001" hash="dXNlLXNoYTI1Ni1vZi10aGUtdG9rZW4tYmFzZTY0PT0=" actor="acme-bot" subject="9001" auth="OAuth access token" agent="git/2.46" action="git.clone" resource="example/core" scope=repo ip=198.51.100.24 operation_type:"access" org:"example" request_id:"AB12:34CD:0001:0002:691C3F10" transport_protocol_name:"http"
        github-audit Use time=2026-11-18T11:07:11.000Z event="Xk3example" client="31337" token_id="77001" hash="dXNlLXNoYTI1Ni1vZi10aGUtdG9rZW4tYmFzZTY0PT0=" actor="acme-bot" subject="9001" auth="OAuth access token" agent="git/2.46" action="git.clone" resource="example/core" scope=repo,read:org,gist ip=198.51.100.24 operation_type:"access" org:"example" request_id:"AB12:34CD:0001:0002:691C3F10" transport_protocol_name:"http"
        github-audit Use time=2026-11-18T11:07:11.000Z event="Xk3example" client="31337" token_id="77001" hash="dXNlLXNoYTI1Ni1vZi10aGUtdG9rZW4tYmFzZTY0PT0=" actor="acme-bot" subject="9001" auth="OAuth access token" agent="git/2.46" action="git.clone" resource="example/core" scope=repo operation_type:"access" org:"example" request_id:"AB12:34CD:0001:0002:691C3F10" transport_protocol_name:"http" unreadable:ip
        github-audit Use time=2026-12-31T23:59:59.999Z event="Xk3example" client="31337" token_id="77001" hash="dXNlLXNoYTI1Ni1vZi10aGUtdG9rZW4tYmFzZTY0PT0=" actor="acme-bot" subject="9001" auth="OAuth access token" agent="git/2.46" action="git.clone" resource="example/core" scope=repo ip=198.51.100.24 operation_type:"access" org:"example" request_id:"AB12:34CD:0001:0002:691C3F10" transport_protocol_name:"http"
        github-audit Use event="Xk3example" client="31337" token_id="77001" hash="dXNlLXNoYTI1Ni1vZi10aGUtdG9rZW4tYmFzZTY0PT0=" actor="acme-bot" subject="9001" auth="OAuth access token" agent="git/2.46" action="git.clone" resource="example/core" scope=repo ip=198.51.100.24 operation_type:"access" org:"example" request_id:"AB12:34CD:0001:0002:691C3F10" transport_protocol_name:"http"
        "#);
    }
}
