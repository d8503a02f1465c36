//! Entra: sign-ins of service principals, and the activity of Microsoft Graph.
//!
//! Source: Azure Monitor, tables AADServicePrincipalSignInLogs and MicrosoftGraphActivityLogs.

use super::super::record::{Record, Told};
use super::super::tree::Object;
use super::{About, Format};

/// Sign-ins of service principals: the tokens that they were given.
#[derive(Debug)]
pub(super) struct SignIn;

/// Calls of Microsoft Graph: what was done with a token.
#[derive(Debug)]
pub(super) struct Graph;

impl Format for SignIn {
    fn about(&self) -> &'static About {
        &About {
            name: "entra-service-principal-sign-in",
            title: "Entra sign-ins of service principals",
            source: "Azure Monitor, AADServicePrincipalSignInLogs",
            cannot: &[
                ("expires_at", "a sign-in does not tell when its token ends"),
                ("token_hash", "a sign-in carries the id of its token, and no digest"),
                ("actor", "a service principal signs in for nobody"),
                ("grant", "a sign-in tells the credential, and not the grant"),
                ("agent", "a sign-in does not tell the program that asked"),
                ("seq", "sign-ins are not numbered"),
            ],
        }
    }

    fn fits(&self, object: &Object<'_>) -> bool {
        object.has("UniqueTokenIdentifier")
            || object.get("Category").text().as_deref() == Some("ServicePrincipalSignInLogs")
    }

    fn record<'a>(&self, object: Object<'a>) -> Record<'a> {
        let mut record = Record::granted();
        record.told = Some(Told::Request);
        let name = ["CreatedDateTime", "TimeGenerated"].into_iter().find(|it| object.has(it));
        record.time = record.moment_of("time", object.get(name.unwrap_or_default()));
        record.event_id = object.text("Id");
        record.client_id = object.text("AppId");
        record.subject = object.text("ServicePrincipalId");
        record.token_id = object.text("UniqueTokenIdentifier");
        let keys = ["ServicePrincipalCredentialKeyId", "FederatedCredentialId"];
        record.key_id = keys.into_iter().find_map(|it| object.text(it));
        record.audience.extend(object.text("ResourceIdentity"));
        record.at_address(object.text("IPAddress"));
        record.granted = object.text("ResultType").is_none_or(|it| it == "0");
        // Details are JSON within JSON: names and values.
        if let Some(details) = object.text("AuthenticationProcessingDetails") {
            record.details(&details);
        }
        let kept = ["CorrelationId", "ServicePrincipalName", "ResourceDisplayName", "ResultType"];
        record.keep(&object, &kept);
        record
    }
}

impl Format for Graph {
    fn about(&self) -> &'static About {
        &About {
            name: "entra-graph-activity",
            title: "Microsoft Graph activity",
            source: "Azure Monitor, MicrosoftGraphActivityLogs",
            cannot: &[
                ("expires_at", "a call does not tell when its token ends"),
                ("token_hash", "a call carries the id of its sign-in, and no digest"),
                ("grant", "a call does not tell how its token was asked for"),
                ("key_id", "a call tells the method of authentication, and not the key"),
                ("seq", "calls are not numbered"),
            ],
        }
    }

    fn fits(&self, object: &Object<'_>) -> bool {
        object.has("SignInActivityId") && object.has("RequestUri")
    }

    fn record<'a>(&self, object: Object<'a>) -> Record<'a> {
        let mut record = Record::granted();
        record.told = Some(Told::Use);
        record.time = record.moment_of("time", object.get("TimeGenerated"));
        record.event_id = object.text("RequestId");
        record.client_id = object.text("AppId");
        record.subject = object.text("ServicePrincipalId");
        record.actor = object.text("UserId");
        record.token_id = object.text("SignInActivityId");
        record.issued_at = record.moment_of("issued_at", object.get("TokenIssuedAt"));
        let method = object.text("ClientAuthMethod");
        record.auth = method.map(|it| match it.as_ref() {
            "0" => "none".into(),
            "1" => "client_secret".into(),
            "2" => "private_key_jwt".into(),
            _ => it,
        });
        record.scopes = object.get("Scopes").words();
        record.scopes.extend(object.get("Roles").words());
        record.at_address(object.text("IPAddress"));
        record.agent = object.text("UserAgent");
        record.action = object.text("RequestMethod");
        record.resource = object.text("RequestUri").map(super::path);
        let status = object.get("ResponseStatusCode").natural();
        record.granted = status.is_none_or(|it| it < 400);
        record.keep(&object, &["ClientRequestId", "ResponseStatusCode"]);
        record
    }
}

impl Record<'_> {
    /// Takes `[{"key": "Oauth Scope Info", "value": "[\"…\"]"}, …]` in.
    fn details(&mut self, text: &str) {
        let Ok(pairs) = serde_json::from_str::<Vec<Object<'_>>>(text) else {
            self.unreadable.insert("scope");
            return;
        };
        for pair in pairs {
            let value = pair.text("value").unwrap_or_default();
            match pair.text("key").as_deref() {
                Some("Authentication credential used") => {
                    self.auth = Some(value.into_owned().into());
                }
                Some("Oauth Scope Info") => match serde_json::from_str::<Vec<String>>(&value) {
                    Ok(scopes) => self.scopes = scopes.into_iter().map(Into::into).collect(),
                    Err(_) => self.odd("scope", true),
                },
                _ => {}
            }
        }
    }
}

/// A whole record of each.
#[cfg(test)]
pub(super) const SAMPLES: [&str; 2] = [
    r#"{"TimeGenerated":"2026-11-18T11:06:40Z","Category":"ServicePrincipalSignInLogs","OperationName":"Sign-in activity","Id":"6a2d7d0e-0000-4000-8000-00000000a001","CreatedDateTime":"2026-11-18T11:06:40Z","CorrelationId":"2c9e5f43-0000-4000-8000-00000000a002","AppId":"11111111-2222-4333-8444-555555555555","ServicePrincipalId":"66666666-7777-4888-8999-aaaaaaaaaaaa","ServicePrincipalName":"acme-sync","ServicePrincipalCredentialKeyId":"bbbbbbbb-cccc-4ddd-8eee-ffffffffffff","FederatedCredentialId":"","IPAddress":"198.51.100.24","ResourceDisplayName":"Orders API","ResourceIdentity":"77777777-0000-4000-8000-000000000007","ResultType":"0","ResultDescription":"","UniqueTokenIdentifier":"q1w2E3r4T5y6U7i8O9p0AA","AuthenticationProcessingDetails":"[{\"key\":\"Authentication credential used\",\"value\":\"Certificate\"},{\"key\":\"Oauth Scope Info\",\"value\":\"[\\\".default\\\"]\"}]"}"#,
    r#"{"TimeGenerated":"2026-11-18T11:07:11Z","RequestId":"d0d0d0d0-0000-4000-8000-000000000001","ClientRequestId":"d0d0d0d0-0000-4000-8000-000000000002","AppId":"11111111-2222-4333-8444-555555555555","ServicePrincipalId":"66666666-7777-4888-8999-aaaaaaaaaaaa","SignInActivityId":"q1w2E3r4T5y6U7i8O9p0AA","TokenIssuedAt":"2026-11-18T11:06:40Z","Roles":"Orders.Read.All","Scopes":"","ClientAuthMethod":2,"IPAddress":"198.51.100.24","RequestMethod":"GET","RequestUri":"https://graph.example/v1.0/orders/123","ResponseStatusCode":200,"UserAgent":"acme-sync/4.2"}"#,
];

#[cfg(test)]
mod tests {
    use super::super::tests::{shown, with};
    use super::*;
    use serde_json::Value as Json;

    #[test]
    fn sign_ins_and_calls() {
        let [sign_in, graph] = SAMPLES;
        let rows = [
            sign_in.to_owned(),
            with(sign_in, "/ResultType", "7000215".into()),
            with(sign_in, "/AuthenticationProcessingDetails", "[{\"key\":".into()),
            with(sign_in, "/AuthenticationProcessingDetails", Json::Null),
            with(sign_in, "/CreatedDateTime", "2026-12-31T23:59:59.9999999Z".into()),
            graph.to_owned(),
            with(graph, "/ResponseStatusCode", 403.into()),
            with(graph, "/RequestUri", "/v1.0/orders?$top=1\n".into()),
            with(graph, "/TokenIssuedAt", "\"".into()),
        ];
        let seen: Vec<String> = rows.iter().map(|it| shown(it)).collect();
        insta::assert_snapshot!(seen.join("\n"), @r#"
        entra-service-principal-sign-in Request time=2026-11-18T11:06:40.000Z event="6a2d7d0e-0000-4000-8000-00000000a001" client="11111111-2222-4333-8444-555555555555" token_id="q1w2E3r4T5y6U7i8O9p0AA" subject="66666666-7777-4888-8999-aaaaaaaaaaaa" key="bbbbbbbb-cccc-4ddd-8eee-ffffffffffff" auth="Certificate" scope=.default audience=77777777-0000-4000-8000-000000000007 ip=198.51.100.24 CorrelationId:"2c9e5f43-0000-4000-8000-00000000a002" ServicePrincipalName:"acme-sync" ResourceDisplayName:"Orders API" ResultType:"0"
        entra-service-principal-sign-in Request refused time=2026-11-18T11:06:40.000Z event="6a2d7d0e-0000-4000-8000-00000000a001" client="11111111-2222-4333-8444-555555555555" token_id="q1w2E3r4T5y6U7i8O9p0AA" subject="66666666-7777-4888-8999-aaaaaaaaaaaa" key="bbbbbbbb-cccc-4ddd-8eee-ffffffffffff" auth="Certificate" scope=.default audience=77777777-0000-4000-8000-000000000007 ip=198.51.100.24 CorrelationId:"2c9e5f43-0000-4000-8000-00000000a002" ServicePrincipalName:"acme-sync" ResourceDisplayName:"Orders API" ResultType:"7000215"
        entra-service-principal-sign-in Request time=2026-11-18T11:06:40.000Z event="6a2d7d0e-0000-4000-8000-00000000a001" client="11111111-2222-4333-8444-555555555555" token_id="q1w2E3r4T5y6U7i8O9p0AA" subject="66666666-7777-4888-8999-aaaaaaaaaaaa" key="bbbbbbbb-cccc-4ddd-8eee-ffffffffffff" audience=77777777-0000-4000-8000-000000000007 ip=198.51.100.24 CorrelationId:"2c9e5f43-0000-4000-8000-00000000a002" ServicePrincipalName:"acme-sync" ResourceDisplayName:"Orders API" ResultType:"0" unreadable:scope
        entra-service-principal-sign-in Request time=2026-11-18T11:06:40.000Z event="6a2d7d0e-0000-4000-8000-00000000a001" client="11111111-2222-4333-8444-555555555555" token_id="q1w2E3r4T5y6U7i8O9p0AA" subject="66666666-7777-4888-8999-aaaaaaaaaaaa" key="bbbbbbbb-cccc-4ddd-8eee-ffffffffffff" audience=77777777-0000-4000-8000-000000000007 ip=198.51.100.24 CorrelationId:"2c9e5f43-0000-4000-8000-00000000a002" ServicePrincipalName:"acme-sync" ResourceDisplayName:"Orders API" ResultType:"0"
        entra-service-principal-sign-in Request time=2026-12-31T23:59:59.999Z event="6a2d7d0e-0000-4000-8000-00000000a001" client="11111111-2222-4333-8444-555555555555" token_id="q1w2E3r4T5y6U7i8O9p0AA" subject="66666666-7777-4888-8999-aaaaaaaaaaaa" key="bbbbbbbb-cccc-4ddd-8eee-ffffffffffff" auth="Certificate" scope=.default audience=77777777-0000-4000-8000-000000000007 ip=198.51.100.24 CorrelationId:"2c9e5f43-0000-4000-8000-00000000a002" ServicePrincipalName:"acme-sync" ResourceDisplayName:"Orders API" ResultType:"0"
        entra-graph-activity Use time=2026-11-18T11:07:11.000Z issued=2026-11-18T11:06:40.000Z event="d0d0d0d0-0000-4000-8000-000000000001" client="11111111-2222-4333-8444-555555555555" token_id="q1w2E3r4T5y6U7i8O9p0AA" subject="66666666-7777-4888-8999-aaaaaaaaaaaa" auth="private_key_jwt" agent="acme-sync/4.2" action="GET" resource="/v1.0/orders/123" scope=Orders.Read.All ip=198.51.100.24 ClientRequestId:"d0d0d0d0-0000-4000-8000-000000000002" ResponseStatusCode:"200"
        entra-graph-activity Use refused time=2026-11-18T11:07:11.000Z issued=2026-11-18T11:06:40.000Z event="d0d0d0d0-0000-4000-8000-000000000001" client="11111111-2222-4333-8444-555555555555" token_id="q1w2E3r4T5y6U7i8O9p0AA" subject="66666666-7777-4888-8999-aaaaaaaaaaaa" auth="private_key_jwt" agent="acme-sync/4.2" action="GET" resource="/v1.0/orders/123" scope=Orders.Read.All ip=198.51.100.24 ClientRequestId:"d0d0d0d0-0000-4000-8000-000000000002" ResponseStatusCode:"403"
        entra-graph-activity Use time=2026-11-18T11:07:11.000Z issued=2026-11-18T11:06:40.000Z event="d0d0d0d0-0000-4000-8000-000000000001" client="11111111-2222-4333-8444-555555555555" token_id="q1w2E3r4T5y6U7i8O9p0AA" subject="66666666-7777-4888-8999-aaaaaaaaaaaa" auth="private_key_jwt" agent="acme-sync/4.2" action="GET" resource="/v1.0/orders" scope=Orders.Read.All ip=198.51.100.24 ClientRequestId:"d0d0d0d0-0000-4000-8000-000000000002" ResponseStatusCode:"200"
        entra-graph-activity Use time=2026-11-18T11:07:11.000Z event="d0d0d0d0-0000-4000-8000-000000000001" client="11111111-2222-4333-8444-555555555555" token_id="q1w2E3r4T5y6U7i8O9p0AA" subject="66666666-7777-4888-8999-aaaaaaaaaaaa" auth="private_key_jwt" agent="acme-sync/4.2" action="GET" resource="/v1.0/orders/123" scope=Orders.Read.All ip=198.51.100.24 ClientRequestId:"d0d0d0d0-0000-4000-8000-000000000002" ResponseStatusCode:"200" unreadable:issued_at
        "#);
    }
}
