//! OCSF: Authentication (3002), Authorize Session (3003), API Activity (6003), and Account Change (3001) beside them.
//!
//! Source: Open Cybersecurity Schema Framework 1.8, classes 3001, 3002, 3003 and 6003.

use super::super::record::{Record, Told};
use super::super::tree::{Object, Value};
use super::{About, Format};

/// OCSF events.
#[derive(Debug)]
pub(super) struct Ocsf;

impl Format for Ocsf {
    fn about(&self) -> &'static About {
        &About {
            name: "ocsf",
            title: "OCSF: Authentication, Authorize Session, API Activity",
            source: "Open Cybersecurity Schema Framework 1.8, classes 3002, 3003, 6003",
            cannot: &[("token_hash", "a session or a token has an id, and no digest")],
        }
    }

    fn fits(&self, object: &Object<'_>) -> bool {
        object.has("class_uid") && object.has("metadata")
    }

    fn record<'a>(&self, object: Object<'a>) -> Record<'a> {
        let mut record = Record::granted();
        let class = object.get("class_uid").natural();
        record.told = Some(told(class, object.get("activity_id").natural()));
        record.time = record.moment_of("time", object.get("time"));
        record.event_id = object.text_at(&["metadata", "uid"]);
        let user = object.text_at(&["user", "uid"]);
        let acting = object.text_at(&["actor", "user", "uid"]);
        let app = object.text_at(&["actor", "app_uid"]);
        record.client_id = app.or_else(|| user.clone()).or_else(|| acting.clone());
        let behalf = [acting, user.clone()].into_iter().flatten();
        record.actor = behalf.rev().find(|it| Some(it) != record.client_id.as_ref());
        record.subject = user;
        let token = ["session", "api"].map(|it| match it {
            "api" => object.at(&["api", "token"]),
            _ => object.get("session"),
        });
        for place in token.into_iter().filter_map(Value::object) {
            record.token_id = place.text("uid").or(record.token_id.take());
            record.issued_at =
                record.moment_of("issued_at", place.get("created_time")).or(record.issued_at);
            record.expires_at =
                record.moment_of("expires_at", place.get("expiration_time")).or(record.expires_at);
        }
        let session = object.text_at(&["actor", "session", "uid"]);
        record.token_id = record.token_id.take().or(session);
        record.key_id = object.text_at(&["session", "credential_uid"]);
        record.grant = object.text_at(&["unmapped", "oauth", "grant_type"]);
        record.auth = object.text_at(&["unmapped", "oauth", "client_auth_method"]);
        record.scopes = object.at(&["unmapped", "oauth", "scope"]).words();
        if record.scopes.is_empty() {
            record.scopes = object.get("privileges").words();
        }
        record.audience.extend(object.text_at(&["service", "uid"]));
        record.at_address(object.text_at(&["src_endpoint", "ip"]));
        record.agent = object.text_at(&["http_request", "user_agent"]);
        let method = object.text_at(&["http_request", "http_method"]);
        record.action = match class {
            Some(AUTHENTICATION | AUTHORIZE_SESSION | ACCOUNT_CHANGE) => None,
            _ => method.or_else(|| object.text_at(&["api", "operation"])),
        };
        record.resource = object.text_at(&["http_request", "url", "path"]);
        // 1 is success, 2 failure; 0 and 99 are told by a word of the source.
        record.granted = object.get("status_id").natural() != Some(2);
        if let Some(number) = object.text_at(&["metadata", "sequence"]) {
            record.numbered(&number);
        }
        record.keep(&object, &["message", "status", "status_detail", "severity_id"]);
        record
    }
}

const ACCOUNT_CHANGE: u64 = 3001;
const AUTHENTICATION: u64 = 3002;
const AUTHORIZE_SESSION: u64 = 3003;
const API_ACTIVITY: u64 = 6003;

fn told(class: Option<u64>, activity: Option<u64>) -> Told {
    match (class, activity) {
        // Logon, or a service ticket.
        (Some(AUTHENTICATION), Some(1 | 3 | 4)) => Told::Request,
        // Logoff ends the session; a preauthentication is nothing yet.
        (Some(AUTHENTICATION), Some(2)) => Told::Revocation,
        // What a session was given stands beside its Authentication.
        (Some(API_ACTIVITY), _) => Told::Use,
        _ => Told::Aside,
    }
}

/// A whole record.
#[cfg(test)]
pub(super) const SAMPLE: &str = r#"{"metadata":{"version":"1.8.0","product":{"name":"ExampleIdP","vendor_name":"Example"},"uid":"ev-7f1c","correlation_uid":"req-01JCY7","log_name":"token-issuance","original_time":"2026-11-18T11:06:40Z"},"category_uid":3,"class_uid":3002,"activity_id":1,"type_uid":300201,"severity_id":1,"time":1795000000000,"status_id":1,"status":"Success","auth_protocol_id":6,"is_mfa":false,"actor":{"app_name":"acme-sync","app_uid":"client-acme-prod","idp":{"name":"ExampleIdP","uid":"https://idp.example"}},"user":{"uid":"client-acme-prod","name":"acme-sync","type_id":4},"session":{"uid":"jti-5d0c","issuer":"https://idp.example","created_time":1795000000000,"expiration_time":1795000900000,"credential_uid":"kid-2026-11"},"service":{"name":"orders-api","uid":"https://api.example/orders"},"src_endpoint":{"ip":"198.51.100.24"},"http_request":{"uid":"req-01JCY7","http_method":"POST","user_agent":"acme-sync/4.2"},"unmapped":{"oauth":{"grant_type":"client_credentials","scope":"orders.read","client_auth_method":"private_key_jwt"}}}"#;

#[cfg(test)]
mod tests {
    use super::super::tests::{shown, with};
    use super::*;
    use serde_json::json;

    #[test]
    fn events_of_each_class() {
        let api = r#"{"metadata":{"version":"1.8.0","correlation_uid":"req-01JCY9","sequence":41},"class_uid":6003,"activity_id":2,"time":1795000031000,"status_id":1,"actor":{"app_uid":"client-acme-prod","user":{"uid":"ada@example.com","type_id":1},"session":{"uid":"jti-5d0c"}},"api":{"operation":"GET /orders/{id}","response":{"code":200},"token":{"uid":"jti-5d0c","type_id":6,"created_time":1795000000000,"expiration_time":1795000900000}},"src_endpoint":{"ip":"198.51.100.24"},"http_request":{"http_method":"GET","url":{"path":"/orders/123"},"user_agent":"acme-sync/4.2"}}"#;
        let rows = [
            SAMPLE.to_owned(),
            with(SAMPLE, "/activity_id", 2.into()),
            with(SAMPLE, "/status_id", 2.into()),
            with(SAMPLE, "/session", serde_json::Value::Null),
            with(SAMPLE, "/session/expiration_time", "never".into()),
            with(SAMPLE, "/time", json!(1_798_761_599_999_u64)),
            api.to_owned(),
            with(api, "/status_id", 2.into()),
            with(api, "/http_request", serde_json::Value::Null),
            r#"{"metadata":{"version":"1.8.0"},"class_uid":3003,"activity_id":1,"time":1795000000000,"status_id":1,"user":{"uid":"client-acme-prod"},"session":{"uid":"jti-5d0c"},"privileges":["orders.read"],"actor":{"app_uid":"client-acme-prod"}}"#.to_owned(),
            r#"{"metadata":{"version":"1.8.0"},"class_uid":3001,"activity_id":5,"time":1795000400000,"status_id":1,"actor":{"user":{"uid":"svc-countersign"}},"user":{"uid":"client-acme-prod"},"message":"client disabled\nby withdrawal w-102"}"#.to_owned(),
        ];
        let seen: Vec<String> = rows.iter().map(|it| shown(it)).collect();
        insta::assert_snapshot!(seen.join("\n"), @r#"
        ocsf Request time=2026-11-18T11:06:40.000Z issued=2026-11-18T11:06:40.000Z expires=2026-11-18T11:21:40.000Z event="ev-7f1c" client="client-acme-prod" token_id="jti-5d0c" subject="client-acme-prod" key="kid-2026-11" auth="private_key_jwt" grant="client_credentials" agent="acme-sync/4.2" scope=orders.read audience=https://api.example/orders ip=198.51.100.24 status:"Success" severity_id:"1"
        ocsf Revocation time=2026-11-18T11:06:40.000Z issued=2026-11-18T11:06:40.000Z expires=2026-11-18T11:21:40.000Z event="ev-7f1c" client="client-acme-prod" token_id="jti-5d0c" subject="client-acme-prod" key="kid-2026-11" auth="private_key_jwt" grant="client_credentials" agent="acme-sync/4.2" scope=orders.read audience=https://api.example/orders ip=198.51.100.24 status:"Success" severity_id:"1"
        ocsf Request refused time=2026-11-18T11:06:40.000Z issued=2026-11-18T11:06:40.000Z expires=2026-11-18T11:21:40.000Z event="ev-7f1c" client="client-acme-prod" token_id="jti-5d0c" subject="client-acme-prod" key="kid-2026-11" auth="private_key_jwt" grant="client_credentials" agent="acme-sync/4.2" scope=orders.read audience=https://api.example/orders ip=198.51.100.24 status:"Success" severity_id:"1"
        ocsf Request time=2026-11-18T11:06:40.000Z event="ev-7f1c" client="client-acme-prod" subject="client-acme-prod" auth="private_key_jwt" grant="client_credentials" agent="acme-sync/4.2" scope=orders.read audience=https://api.example/orders ip=198.51.100.24 status:"Success" severity_id:"1"
        ocsf Request time=2026-11-18T11:06:40.000Z issued=2026-11-18T11:06:40.000Z event="ev-7f1c" client="client-acme-prod" token_id="jti-5d0c" subject="client-acme-prod" key="kid-2026-11" auth="private_key_jwt" grant="client_credentials" agent="acme-sync/4.2" scope=orders.read audience=https://api.example/orders ip=198.51.100.24 status:"Success" severity_id:"1" unreadable:expires_at
        ocsf Request time=2026-12-31T23:59:59.999Z issued=2026-11-18T11:06:40.000Z expires=2026-11-18T11:21:40.000Z event="ev-7f1c" client="client-acme-prod" token_id="jti-5d0c" subject="client-acme-prod" key="kid-2026-11" auth="private_key_jwt" grant="client_credentials" agent="acme-sync/4.2" scope=orders.read audience=https://api.example/orders ip=198.51.100.24 status:"Success" severity_id:"1"
        ocsf Use time=2026-11-18T11:07:11.000Z issued=2026-11-18T11:06:40.000Z expires=2026-11-18T11:21:40.000Z client="client-acme-prod" token_id="jti-5d0c" actor="ada@example.com" agent="acme-sync/4.2" action="GET" resource="/orders/123" ip=198.51.100.24 seq=41
        ocsf Use refused time=2026-11-18T11:07:11.000Z issued=2026-11-18T11:06:40.000Z expires=2026-11-18T11:21:40.000Z client="client-acme-prod" token_id="jti-5d0c" actor="ada@example.com" agent="acme-sync/4.2" action="GET" resource="/orders/123" ip=198.51.100.24 seq=41
        ocsf Use time=2026-11-18T11:07:11.000Z issued=2026-11-18T11:06:40.000Z expires=2026-11-18T11:21:40.000Z client="client-acme-prod" token_id="jti-5d0c" actor="ada@example.com" action="GET /orders/{id}" ip=198.51.100.24 seq=41
        ocsf Aside time=2026-11-18T11:06:40.000Z client="client-acme-prod" token_id="jti-5d0c" subject="client-acme-prod" scope=orders.read
        ocsf Aside time=2026-11-18T11:13:20.000Z client="client-acme-prod" actor="svc-countersign" subject="client-acme-prod" message:"client disabled\nby withdrawal w-102"
        "#);
    }
}
