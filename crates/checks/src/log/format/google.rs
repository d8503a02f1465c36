//! Google Cloud audit logs: tokens of service accounts, and what was done with them.
//!
//! Source: Cloud Audit Logs, LogEntry and AuditLog; IAM Credentials API, `GenerateAccessToken`.

use countersign_model::time::{Period, Timestamp};

use super::super::record::{Record, Told};
use super::super::tree::{Object, Value};
use super::{About, Format};

/// Entries of Google Cloud's audit logs.
#[derive(Debug)]
pub(super) struct Google;

impl Format for Google {
    fn about(&self) -> &'static About {
        &About {
            name: "google-cloud-audit",
            title: "Google Cloud audit logs",
            source: "Cloud Audit Logs, LogEntry and AuditLog",
            cannot: &[
                ("token_id", "an entry does not name the token"),
                ("token_hash", "an entry does not name the token"),
                ("grant", "a token of a service account has no OAuth grant"),
                ("seq", "entries are not numbered"),
            ],
        }
    }

    fn fits(&self, object: &Object<'_>) -> bool {
        object.has("protoPayload") && object.has("logName")
    }

    fn record<'a>(&self, object: Object<'a>) -> Record<'a> {
        let mut record = Record::granted();
        record.event_id = object.text("insertId");
        record.time = record.moment_of("time", object.get("timestamp"));
        let payload = |path: &[&str]| match object.get("protoPayload").object() {
            Some(it) => it.at(path),
            None => &Value::Null,
        };
        let method = payload(&["methodName"]).text().unwrap_or_default();
        let is_issue = ISSUES.iter().any(|it| method.ends_with(it));
        record.told = Some(if is_issue { Told::Request } else { Told::Use });
        let principal = payload(&["authenticationInfo", "principalEmail"]).text();
        let federated = payload(&["authenticationInfo", "principalSubject"]).text();
        if is_issue {
            record.client_id = object
                .text_at(&["resource", "labels", "email_id"])
                .or_else(|| payload(&["request", "name"]).text());
            record.actor = federated.or(principal);
        } else {
            record.client_id = principal.or_else(|| federated.clone());
            record.actor = federated.filter(|it| Some(it) != record.client_id.as_ref());
        }
        record.key_id = payload(&["authenticationInfo", "serviceAccountKeyName"]).text();
        record.at_address(
            payload(&["requestMetadata", "callerIp"]).text().filter(|it| !is_inside(it)),
        );
        record.agent = payload(&["requestMetadata", "callerSuppliedUserAgent"]).text();
        record.scopes = payload(&["request", "scope"]).words();
        record.expires_at = end(&mut record, payload(&["request", "lifetime"]));
        let code = payload(&["status", "code"]).natural().unwrap_or_default();
        let permissions = payload(&["authorizationInfo"]).list().iter().filter_map(Value::object);
        let mut refused = permissions.filter(|it| it.get("granted") == &Value::Bool(false));
        record.granted = code == 0 && refused.next().is_none();
        record.action = Some(method);
        record.resource = payload(&["resourceName"]).text();
        record.keep(&object, &["severity", "logName"]);
        record
    }
}

const ISSUES: [&str; 2] = ["GenerateAccessToken", "GenerateIdToken"];

/// Calls from within Google's network name no address.
fn is_inside(text: &str) -> bool {
    text == "private" || text == "gce-internal-ip"
}

/// When a token ends: its lifetime after the request, `"900s"` or `{"seconds": "900"}`.
fn end(record: &mut Record<'_>, lifetime: &Value<'_>) -> Option<Timestamp> {
    let text = match lifetime {
        Value::Object(it) => it.text("seconds"),
        other => other.text(),
    }?;
    let seconds = text.trim_end_matches('s').parse().ok().filter(|it| *it <= LIFETIME_SECONDS_MAX);
    record.odd("expires_at", seconds.is_none());
    Some(record.time? + Period::from_seconds(seconds?))
}

/// No token of a service account lives longer than twelve hours.
const LIFETIME_SECONDS_MAX: u64 = 12 * 60 * 60;

/// A whole record.
#[cfg(test)]
pub(super) const SAMPLE: &str = r#"{"insertId":"1abcxyz","timestamp":"2026-11-18T11:06:40.220Z","severity":"INFO","logName":"projects/p1/logs/cloudaudit.googleapis.com%2Fdata_access","resource":{"type":"service_account","labels":{"email_id":"acme@p1.iam.gserviceaccount.com"}},"protoPayload":{"@type":"type.googleapis.com/google.cloud.audit.AuditLog","serviceName":"iamcredentials.googleapis.com","methodName":"GenerateAccessToken","resourceName":"projects/-/serviceAccounts/1001","authenticationInfo":{"principalSubject":"principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/partners/subject/acme-prod","serviceAccountKeyName":""},"requestMetadata":{"callerIp":"198.51.100.24","callerSuppliedUserAgent":"acme-sync/4.2"},"authorizationInfo":[{"resource":"projects/-/serviceAccounts/1001","permission":"iam.serviceAccounts.getAccessToken","granted":true}],"request":{"scope":["https://www.googleapis.com/auth/cloud-platform"],"lifetime":{"seconds":"900"}},"status":{}}}"#;

#[cfg(test)]
mod tests {
    use super::super::tests::{shown, with};
    use super::*;
    use serde_json::{Value as Json, json};

    #[test]
    fn tokens_and_calls() {
        let lifetime = "/protoPayload/request/lifetime";
        let access = json!({
            "insertId": "2abc", "timestamp": "2026-12-31T23:59:59.999999999Z", "logName": "projects/p1/logs/x",
            "protoPayload": {"serviceName": "storage.googleapis.com", "methodName": "storage.objects.get",
                "resourceName": "projects/_/buckets/b/objects/o", "requestMetadata": {"callerIp": "gce-internal-ip"},
                "authenticationInfo": {"principalEmail": "acme@p1.iam.gserviceaccount.com"}},
        });
        let rows = [
            SAMPLE.to_owned(),
            with(SAMPLE, lifetime, "3600s".into()),
            with(SAMPLE, lifetime, "99999999999999s".into()),
            with(SAMPLE, lifetime, Json::Null),
            with(SAMPLE, "/protoPayload/status", json!({"code": 7, "message": "denied\nhere"})),
            with(SAMPLE, "/protoPayload/authorizationInfo/0/granted", false.into()),
            with(SAMPLE, "/protoPayload", "redacted".into()),
            access.to_string(),
        ];
        let seen: Vec<String> = rows.iter().map(|it| shown(it)).collect();
        insta::assert_snapshot!(seen.join("\n"), @r#"
        google-cloud-audit Request time=2026-11-18T11:06:40.220Z expires=2026-11-18T11:21:40.220Z event="1abcxyz" client="acme@p1.iam.gserviceaccount.com" actor="principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/partners/subject/acme-prod" agent="acme-sync/4.2" action="GenerateAccessToken" resource="projects/-/serviceAccounts/1001" scope=https://www.googleapis.com/auth/cloud-platform ip=198.51.100.24 severity:"INFO" logName:"projects/p1/logs/cloudaudit.googleapis.com%2Fdata_access"
        google-cloud-audit Request time=2026-11-18T11:06:40.220Z expires=2026-11-18T12:06:40.220Z event="1abcxyz" client="acme@p1.iam.gserviceaccount.com" actor="principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/partners/subject/acme-prod" agent="acme-sync/4.2" action="GenerateAccessToken" resource="projects/-/serviceAccounts/1001" scope=https://www.googleapis.com/auth/cloud-platform ip=198.51.100.24 severity:"INFO" logName:"projects/p1/logs/cloudaudit.googleapis.com%2Fdata_access"
        google-cloud-audit Request time=2026-11-18T11:06:40.220Z event="1abcxyz" client="acme@p1.iam.gserviceaccount.com" actor="principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/partners/subject/acme-prod" agent="acme-sync/4.2" action="GenerateAccessToken" resource="projects/-/serviceAccounts/1001" scope=https://www.googleapis.com/auth/cloud-platform ip=198.51.100.24 severity:"INFO" logName:"projects/p1/logs/cloudaudit.googleapis.com%2Fdata_access" unreadable:expires_at
        google-cloud-audit Request time=2026-11-18T11:06:40.220Z event="1abcxyz" client="acme@p1.iam.gserviceaccount.com" actor="principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/partners/subject/acme-prod" agent="acme-sync/4.2" action="GenerateAccessToken" resource="projects/-/serviceAccounts/1001" scope=https://www.googleapis.com/auth/cloud-platform ip=198.51.100.24 severity:"INFO" logName:"projects/p1/logs/cloudaudit.googleapis.com%2Fdata_access"
        google-cloud-audit Request refused time=2026-11-18T11:06:40.220Z expires=2026-11-18T11:21:40.220Z event="1abcxyz" client="acme@p1.iam.gserviceaccount.com" actor="principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/partners/subject/acme-prod" agent="acme-sync/4.2" action="GenerateAccessToken" resource="projects/-/serviceAccounts/1001" scope=https://www.googleapis.com/auth/cloud-platform ip=198.51.100.24 severity:"INFO" logName:"projects/p1/logs/cloudaudit.googleapis.com%2Fdata_access"
        google-cloud-audit Request refused time=2026-11-18T11:06:40.220Z expires=2026-11-18T11:21:40.220Z event="1abcxyz" client="acme@p1.iam.gserviceaccount.com" actor="principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/partners/subject/acme-prod" agent="acme-sync/4.2" action="GenerateAccessToken" resource="projects/-/serviceAccounts/1001" scope=https://www.googleapis.com/auth/cloud-platform ip=198.51.100.24 severity:"INFO" logName:"projects/p1/logs/cloudaudit.googleapis.com%2Fdata_access"
        google-cloud-audit Use time=2026-11-18T11:06:40.220Z event="1abcxyz" action="" severity:"INFO" logName:"projects/p1/logs/cloudaudit.googleapis.com%2Fdata_access"
        google-cloud-audit Use time=2026-12-31T23:59:59.999Z event="2abc" client="acme@p1.iam.gserviceaccount.com" action="storage.objects.get" resource="projects/_/buckets/b/objects/o" logName:"projects/p1/logs/x"
        "#);
    }
}
