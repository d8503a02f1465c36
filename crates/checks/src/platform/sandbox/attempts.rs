//! What a client may not do to itself at the sandbox platform, and the administrators' requests as lines.

use serde_json::json;

use crate::platform::by_hand::call_with;
use crate::platform::{AdminAct, ApiCall};

/// The calls with which a client could give itself more.
pub(super) fn self_grants(client: &str, name: &str) -> Vec<ApiCall> {
    let own = |rest: &str| format!("/v1/apps/{client}/{rest}");
    let secret = json!({ "secret_sha256": "0".repeat(64), "name": name });
    let redirect = format!("https://{name}.invalid/callback");
    vec![
        call_with("add a credential", "POST", own("credentials"), secret),
        call_with("add a role", "POST", own("roles"), json!({ "role": "tenant-admin" })),
        call_with("register an app", "POST", "/v1/apps".to_owned(), json!({ "client_id": name })),
        call_with(
            "widen its consent",
            "POST",
            own("consents"),
            json!({ "scope": "users:read.all" }),
        ),
        call_with("change a callback", "PUT", own("redirects"), json!({ "redirect": redirect })),
    ]
}

/// The calls with which a client could delete what is written down about it.
pub(super) fn suppressions(client: &str) -> Vec<ApiCall> {
    let call = |name: &str, path: String| ApiCall {
        name: name.to_owned(),
        method: "DELETE".to_owned(),
        path,
        body: None,
    };
    vec![
        call("delete its job history", format!("/v1/apps/{client}/jobs")),
        call("delete its log lines", format!("/v1/apps/{client}/activity")),
    ]
}

/// An administrator's request as a line for a shell.
pub(super) fn by_hand(issuer: &str, act: AdminAct<'_>) -> String {
    let (method, path, token) = match act {
        AdminAct::AccessLog(it) => ("GET", format!("admin/access-log?client={it}"), "READER"),
        AdminAct::Copy(it) => ("POST", format!("admin/clients/{it}/copy"), "KILLER"),
        AdminAct::Delete(it) => ("DELETE", format!("admin/clients/{it}"), "KILLER"),
        AdminAct::Disable(it) => ("POST", format!("admin/clients/{it}/disable"), "KILLER"),
        AdminAct::ListClients(it) => ("GET", format!("admin/clients?integration={it}"), "READER"),
    };
    format!("curl -i -X {method} '{issuer}/{path}' -H \"authorization: Bearer ${token}_TOKEN\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_five_ways_to_grow_and_two_to_forget() {
        let calls = [self_grants("acme", "canary-7"), suppressions("acme")].concat();
        let lines = calls.iter().map(|it| format!("{}: {} {}", it.name, it.method, it.path));
        insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r"
        add a credential: POST /v1/apps/acme/credentials
        add a role: POST /v1/apps/acme/roles
        register an app: POST /v1/apps
        widen its consent: POST /v1/apps/acme/consents
        change a callback: PUT /v1/apps/acme/redirects
        delete its job history: DELETE /v1/apps/acme/jobs
        delete its log lines: DELETE /v1/apps/acme/activity
        ");
    }

    #[test]
    fn an_administrators_request_shows_no_token() {
        let line = by_hand("https://id.example.com", AdminAct::Copy("acme"));
        insta::assert_snapshot!(line, @r#"curl -i -X POST 'https://id.example.com/admin/clients/acme/copy' -H "authorization: Bearer $KILLER_TOKEN""#);
    }
}
