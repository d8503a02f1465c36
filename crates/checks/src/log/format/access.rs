//! Access logs of nginx and Envoy, where they are set to write JSON.
//!
//! Both write what their configuration names; these are the names of `docs/logs.md`.
//! Source: nginx, `ngx_http_log_module`, `escape=json`; Envoy, access logging, `json_format`.

use super::super::record::{Record, Told};
use super::super::tree::Object;
use super::{About, Format};

/// An access log of nginx.
#[derive(Debug)]
pub(super) struct Nginx;

/// An access log of Envoy.
#[derive(Debug)]
pub(super) struct Envoy;

impl Format for Nginx {
    fn about(&self) -> &'static About {
        &About {
            name: "nginx-access",
            title: "nginx access log in JSON",
            source: "nginx, ngx_http_log_module, escape=json",
            cannot: CANNOT,
        }
    }

    fn fits(&self, object: &Object<'_>) -> bool {
        object.has("remote_addr") && (object.has("uri") || object.has("request_uri"))
    }

    fn record<'a>(&self, object: Object<'a>) -> Record<'a> {
        let mut record = Record::of_call(&object);
        // `$msec` has milliseconds, `$time_iso8601` whole seconds.
        let names = ["msec", "time_iso8601", "ts"];
        let name = names.into_iter().find(|it| object.has(it)).unwrap_or_default();
        record.time = record.moment_of("time", object.get(name));
        record.at_address(object.text("remote_addr"));
        record.agent = ["ua", "http_user_agent"].into_iter().find_map(|it| object.text(it));
        record.action = ["method", "request_method"].into_iter().find_map(|it| object.text(it));
        let place = ["request_uri", "uri"].into_iter().find_map(|it| object.text(it));
        record.resource = place.map(super::path);
        record.answered(&object, "status");
        record.key_id = object.text("client_cert_subject");
        let kept = ["bytes", "client_cert_verify", "ssl_protocol", "status", "upstream_ms"];
        record.keep(&object, &kept);
        record
    }
}

impl Format for Envoy {
    fn about(&self) -> &'static About {
        &About {
            name: "envoy-access",
            title: "Envoy access log in JSON",
            source: "Envoy, access logging, json_format",
            cannot: CANNOT,
        }
    }

    fn fits(&self, object: &Object<'_>) -> bool {
        object.has("start_time") && object.has("response_code")
    }

    fn record<'a>(&self, object: Object<'a>) -> Record<'a> {
        let mut record = Record::of_call(&object);
        record.time = record.moment_of("time", object.get("start_time"));
        let addresses = ["client_ip", "downstream_remote_address", "x_forwarded_for"];
        record.at_address(addresses.into_iter().find_map(|it| object.text(it)));
        record.agent = object.text("user_agent");
        record.action = object.text("method");
        record.resource = object.text("path").map(super::path);
        record.answered(&object, "response_code");
        record.key_id = object.text("peer_uri_san").or_else(|| object.text("peer_fp256"));
        let kept = ["response_code", "response_code_details", "response_flags", "tls"];
        record.keep(&object, &kept);
        record
    }
}

const CANNOT: &[(&str, &str)] = &[
    ("grant", "an access log tells of calls, and not how a token was asked for"),
    ("seq", "calls are not numbered"),
];

impl<'a> Record<'a> {
    /// What both logs name alike, once a claim of the token is written down.
    fn of_call(object: &Object<'a>) -> Self {
        let mut record = Self { told: Some(Told::Use), ..Self::granted() };
        // Whoever calls may choose the id of a request: it says nothing about a second delivery.
        record.keep(object, &["request_id"]);
        record.client_id = object.text("client_id");
        record.token_id = ["jti", "token_jti"].into_iter().find_map(|it| object.text(it));
        record.token_hash = object.text("token_sha256");
        record.actor = object.text("actor");
        record.subject = object.text("sub");
        record.scopes = object.get("scope").words();
        record.audience = object.get("aud").words();
        record.issued_at = record.moment_of("issued_at", object.get("iat"));
        record.expires_at = record.moment_of("expires_at", object.get("exp"));
        record
    }

    /// Whether the call went through.
    fn answered(&mut self, object: &Object<'_>, name: &str) {
        let status = object.text(name).and_then(|it| it.parse::<u16>().ok());
        // 0 stands for no answer at all, 499 for a caller who had gone.
        self.granted = status.is_none_or(|it| (100..400).contains(&it) || it == 499);
    }
}

/// A whole record of each.
#[cfg(test)]
pub(super) const SAMPLES: [&str; 2] = [
    r#"{"ts":"2026-11-18T11:07:11+00:00","msec":1795000031.412,"request_id":"5f1d0c9e8b7a6a5b4c3d2e1f0a9b8c7d","remote_addr":"198.51.100.24","method":"GET","uri":"/orders/123","status":200,"bytes":812,"ua":"acme-sync/4.2","ssl_protocol":"TLSv1.3","client_cert_verify":"SUCCESS","client_cert_subject":"CN=acme-prod","token_jti":"jti-5d0c","client_id":"client-acme-prod","scope":"orders.read","iat":1795000000,"exp":1795000900,"upstream_ms":"0.021"}"#,
    r#"{"start_time":"2026-11-18T11:07:11.412Z","request_id":"0e7c0000-0000-4000-8000-000000000001","stream_id":"0e7c0000-0000-4000-8000-000000000001","client_ip":"198.51.100.24","method":"GET","path":"/orders/123","response_code":200,"response_code_details":"via_upstream","response_flags":"-","user_agent":"acme-sync/4.2","tls":"TLSv1.3","peer_uri_san":"spiffe://partner.example/acme/prod","peer_fp256":"3f0a","jti":"jti-5d0c","client_id":"client-acme-prod","scope":"orders.read","iat":1795000000,"exp":1795000900}"#,
];

#[cfg(test)]
mod tests {
    use super::super::tests::{shown, with};
    use super::*;
    use serde_json::{Value as Json, json};

    #[test]
    fn calls_of_both() {
        let [nginx, envoy] = SAMPLES;
        let rows = [
            nginx.to_owned(),
            with(nginx, "/status", "403".into()),
            with(nginx, "/status", 499.into()),
            with(nginx, "/msec", "1798761599.999".into()),
            with(nginx, "/token_jti", "".into()),
            with(nginx, "/exp", "-".into()),
            with(nginx, "/uri", "/orders/1\"2\n?x=1".into()),
            envoy.to_owned(),
            with(envoy, "/response_code", 0.into()),
            with(envoy, "/client_ip", "[2001:db8::7]:5123".into()),
            with(envoy, "/start_time", json!(["now"])),
            with(envoy, "/jti", Json::Null),
        ];
        let seen: Vec<String> = rows.iter().map(|it| shown(it)).collect();
        insta::assert_snapshot!(seen.join("\n"), @r#"
        nginx-access Use time=2026-11-18T11:07:11.412Z issued=2026-11-18T11:06:40.000Z expires=2026-11-18T11:21:40.000Z client="client-acme-prod" token_id="jti-5d0c" key="CN=acme-prod" agent="acme-sync/4.2" action="GET" resource="/orders/123" scope=orders.read ip=198.51.100.24 request_id:"5f1d0c9e8b7a6a5b4c3d2e1f0a9b8c7d" bytes:"812" client_cert_verify:"SUCCESS" ssl_protocol:"TLSv1.3" status:"200" upstream_ms:"0.021"
        nginx-access Use refused time=2026-11-18T11:07:11.412Z issued=2026-11-18T11:06:40.000Z expires=2026-11-18T11:21:40.000Z client="client-acme-prod" token_id="jti-5d0c" key="CN=acme-prod" agent="acme-sync/4.2" action="GET" resource="/orders/123" scope=orders.read ip=198.51.100.24 request_id:"5f1d0c9e8b7a6a5b4c3d2e1f0a9b8c7d" bytes:"812" client_cert_verify:"SUCCESS" ssl_protocol:"TLSv1.3" status:"403" upstream_ms:"0.021"
        nginx-access Use time=2026-11-18T11:07:11.412Z issued=2026-11-18T11:06:40.000Z expires=2026-11-18T11:21:40.000Z client="client-acme-prod" token_id="jti-5d0c" key="CN=acme-prod" agent="acme-sync/4.2" action="GET" resource="/orders/123" scope=orders.read ip=198.51.100.24 request_id:"5f1d0c9e8b7a6a5b4c3d2e1f0a9b8c7d" bytes:"812" client_cert_verify:"SUCCESS" ssl_protocol:"TLSv1.3" status:"499" upstream_ms:"0.021"
        nginx-access Use time=2026-12-31T23:59:59.999Z issued=2026-11-18T11:06:40.000Z expires=2026-11-18T11:21:40.000Z client="client-acme-prod" token_id="jti-5d0c" key="CN=acme-prod" agent="acme-sync/4.2" action="GET" resource="/orders/123" scope=orders.read ip=198.51.100.24 request_id:"5f1d0c9e8b7a6a5b4c3d2e1f0a9b8c7d" bytes:"812" client_cert_verify:"SUCCESS" ssl_protocol:"TLSv1.3" status:"200" upstream_ms:"0.021"
        nginx-access Use time=2026-11-18T11:07:11.412Z issued=2026-11-18T11:06:40.000Z expires=2026-11-18T11:21:40.000Z client="client-acme-prod" key="CN=acme-prod" agent="acme-sync/4.2" action="GET" resource="/orders/123" scope=orders.read ip=198.51.100.24 request_id:"5f1d0c9e8b7a6a5b4c3d2e1f0a9b8c7d" bytes:"812" client_cert_verify:"SUCCESS" ssl_protocol:"TLSv1.3" status:"200" upstream_ms:"0.021"
        nginx-access Use time=2026-11-18T11:07:11.412Z issued=2026-11-18T11:06:40.000Z client="client-acme-prod" token_id="jti-5d0c" key="CN=acme-prod" agent="acme-sync/4.2" action="GET" resource="/orders/123" scope=orders.read ip=198.51.100.24 request_id:"5f1d0c9e8b7a6a5b4c3d2e1f0a9b8c7d" bytes:"812" client_cert_verify:"SUCCESS" ssl_protocol:"TLSv1.3" status:"200" upstream_ms:"0.021" unreadable:expires_at
        nginx-access Use time=2026-11-18T11:07:11.412Z issued=2026-11-18T11:06:40.000Z expires=2026-11-18T11:21:40.000Z client="client-acme-prod" token_id="jti-5d0c" key="CN=acme-prod" agent="acme-sync/4.2" action="GET" resource="/orders/1\"2\n" scope=orders.read ip=198.51.100.24 request_id:"5f1d0c9e8b7a6a5b4c3d2e1f0a9b8c7d" bytes:"812" client_cert_verify:"SUCCESS" ssl_protocol:"TLSv1.3" status:"200" upstream_ms:"0.021"
        envoy-access Use time=2026-11-18T11:07:11.412Z issued=2026-11-18T11:06:40.000Z expires=2026-11-18T11:21:40.000Z client="client-acme-prod" token_id="jti-5d0c" key="spiffe://partner.example/acme/prod" agent="acme-sync/4.2" action="GET" resource="/orders/123" scope=orders.read ip=198.51.100.24 request_id:"0e7c0000-0000-4000-8000-000000000001" response_code:"200" response_code_details:"via_upstream" response_flags:"-" tls:"TLSv1.3"
        envoy-access Use refused time=2026-11-18T11:07:11.412Z issued=2026-11-18T11:06:40.000Z expires=2026-11-18T11:21:40.000Z client="client-acme-prod" token_id="jti-5d0c" key="spiffe://partner.example/acme/prod" agent="acme-sync/4.2" action="GET" resource="/orders/123" scope=orders.read ip=198.51.100.24 request_id:"0e7c0000-0000-4000-8000-000000000001" response_code:"0" response_code_details:"via_upstream" response_flags:"-" tls:"TLSv1.3"
        envoy-access Use time=2026-11-18T11:07:11.412Z issued=2026-11-18T11:06:40.000Z expires=2026-11-18T11:21:40.000Z client="client-acme-prod" token_id="jti-5d0c" key="spiffe://partner.example/acme/prod" agent="acme-sync/4.2" action="GET" resource="/orders/123" scope=orders.read ip=2001:db8::7 request_id:"0e7c0000-0000-4000-8000-000000000001" response_code:"200" response_code_details:"via_upstream" response_flags:"-" tls:"TLSv1.3"
        envoy-access Use issued=2026-11-18T11:06:40.000Z expires=2026-11-18T11:21:40.000Z client="client-acme-prod" token_id="jti-5d0c" key="spiffe://partner.example/acme/prod" agent="acme-sync/4.2" action="GET" resource="/orders/123" scope=orders.read ip=198.51.100.24 request_id:"0e7c0000-0000-4000-8000-000000000001" response_code:"200" response_code_details:"via_upstream" response_flags:"-" tls:"TLSv1.3" unreadable:time
        envoy-access Use time=2026-11-18T11:07:11.412Z issued=2026-11-18T11:06:40.000Z expires=2026-11-18T11:21:40.000Z client="client-acme-prod" key="spiffe://partner.example/acme/prod" agent="acme-sync/4.2" action="GET" resource="/orders/123" scope=orders.read ip=198.51.100.24 request_id:"0e7c0000-0000-4000-8000-000000000001" response_code:"200" response_code_details:"via_upstream" response_flags:"-" tls:"TLSv1.3"
        "#);
    }
}
