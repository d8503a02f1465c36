//! AWS CloudTrail: sessions of a role that were given out, and what was done with their keys.
//!
//! Source: AWS CloudTrail User Guide, "CloudTrail record contents"; AWS STS, `AssumeRole*`.

use std::borrow::Cow;

use super::super::record::{Record, Told};
use super::super::tree::Object;
use super::{About, Format};

/// Records of CloudTrail.
#[derive(Debug)]
pub(super) struct CloudTrail;

impl Format for CloudTrail {
    fn about(&self) -> &'static About {
        &About {
            name: "aws-cloudtrail",
            title: "AWS CloudTrail",
            source: "AWS CloudTrail User Guide, \"CloudTrail record contents\"",
            cannot: &[
                ("scope", "a role has permissions, and no scopes"),
                ("grant", "a role is assumed, and no OAuth grant is named"),
                ("token_hash", "a session is known by its access key id"),
                ("seq", "records are not numbered"),
            ],
        }
    }

    fn fits(&self, object: &Object<'_>) -> bool {
        object.has("eventSource") && object.has("eventName") && object.has("eventTime")
    }

    fn record<'a>(&self, object: Object<'a>) -> Record<'a> {
        let mut record = Record::granted();
        record.event_id = object.text("eventID");
        record.time = record.moment_of("time", object.get("eventTime"));
        record.at_address(object.text("sourceIPAddress").filter(|it| !is_service(it)));
        record.agent = object.text("userAgent");
        let name = object.text("eventName").unwrap_or_default();
        let service = object.text("eventSource").unwrap_or_default();
        let is_issue = service == "sts.amazonaws.com" && ISSUES.contains(&name.as_ref());
        record.told = Some(if is_issue { Told::Request } else { Told::Use });
        record.granted = object.text("errorCode").is_none();
        record.key_id = object.text_at(&["requestParameters", "externalId"]).filter(|_| is_issue);
        if is_issue {
            record.client_id = object.text_at(&["requestParameters", "roleArn"]);
            record.subject = object.text_at(&["responseElements", "assumedRoleUser", "arn"]);
            record.actor = object
                .text_at(&["requestParameters", "sourceIdentity"])
                .or_else(|| object.text_at(&["requestParameters", "roleSessionName"]));
            let given = object.at(&["responseElements", "credentials"]).object();
            if let Some(given) = given {
                record.token_id = given.text("accessKeyId");
                record.expires_at = record.moment_of("expires_at", given.get("expiration"));
            }
        } else {
            let issuer = ["userIdentity", "sessionContext", "sessionIssuer", "arn"];
            record.client_id =
                object.text_at(&issuer).or_else(|| object.text_at(&["userIdentity", "arn"]));
            record.token_id = object.text_at(&["userIdentity", "accessKeyId"]);
            let principal = object.text_at(&["userIdentity", "principalId"]);
            record.actor = object
                .text_at(&["userIdentity", "sessionContext", "sourceIdentity"])
                .or_else(|| principal.clone().map(session_name));
            record.subject = principal;
            let begun = ["userIdentity", "sessionContext", "attributes", "creationDate"];
            record.issued_at = record.moment_of("issued_at", object.at(&begun));
        }
        record.action = Some(name);
        record.resource = Some(service);
        record.keep(
            &object,
            &["awsRegion", "errorCode", "requestID", "sharedEventID", "eventCategory"],
        );
        record
    }
}

const ISSUES: [&str; 3] = ["AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"];

/// A call that a service of AWS makes names the service in the place of an address.
fn is_service(text: &str) -> bool {
    text.ends_with(".amazonaws.com") || text == "AWS Internal"
}

/// The name of a session: what stands after the colon of `AROA…:acme-sync`.
fn session_name(principal: Cow<'_, str>) -> Cow<'_, str> {
    match principal {
        Cow::Borrowed(it) => Cow::Borrowed(it.split_once(':').map_or(it, |it| it.1)),
        Cow::Owned(it) => Cow::Owned(it.split_once(':').map_or(it.clone(), |it| it.1.to_owned())),
    }
}

/// A whole record.
#[cfg(test)]
pub(super) const SAMPLE: &str = r#"{"eventVersion":"1.11","eventTime":"2026-11-18T11:06:40Z","eventSource":"sts.amazonaws.com","eventName":"AssumeRole","awsRegion":"eu-west-1","sourceIPAddress":"198.51.100.24","userAgent":"acme-sync/4.2","userIdentity":{"type":"AWSAccount","principalId":"AROAEXAMPLE:acme","accountId":"111122223333"},"requestParameters":{"roleArn":"arn:aws:iam::444455556666:role/partner-acme","roleSessionName":"acme-sync","externalId":"cs-acme-7f1c","durationSeconds":900},"responseElements":{"credentials":{"accessKeyId":"ASIAEXAMPLE0001","expiration":"Nov 18, 2026, 11:21:40 AM"},"assumedRoleUser":{"assumedRoleId":"AROAEXAMPLE:acme-sync","arn":"arn:aws:sts::444455556666:assumed-role/partner-acme/acme-sync"}},"requestID":"9a1b0000-0000-4000-8000-000000000001","eventID":"9a1b0000-0000-4000-8000-000000000002","sharedEventID":"9a1b0000-0000-4000-8000-000000000003","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"444455556666","eventCategory":"Management"}"#;

#[cfg(test)]
mod tests {
    use super::super::tests::{shown, with};
    use super::*;
    use serde_json::Value as Json;

    #[test]
    fn sessions_and_calls() {
        let access = r#"{"eventVersion":"1.11","eventTime":"2026-11-18T11:07:11Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","sourceIPAddress":"198.51.100.24","userAgent":"acme-sync/4.2","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE:acme-sync","accountId":"444455556666","accessKeyId":"ASIAEXAMPLE0001","sessionContext":{"sessionIssuer":{"type":"Role","arn":"arn:aws:iam::444455556666:role/partner-acme"},"attributes":{"creationDate":"2026-11-18T11:06:40Z","mfaAuthenticated":"false"}}},"requestID":"R7EXAMPLE","eventID":"9a1b0000-0000-4000-8000-000000000004","errorCode":null,"eventCategory":"Data"}"#;
        let expiration = "/responseElements/credentials/expiration";
        let rows = [
            SAMPLE.to_owned(),
            with(SAMPLE, expiration, "Dec 31, 2026, 12:00:00 PM".into()),
            with(SAMPLE, expiration, "Jan 1, 2027, 12:00:05 AM".into()),
            with(SAMPLE, expiration, "soon".into()),
            with(SAMPLE, "/responseElements", Json::Null),
            with(SAMPLE, "/sourceIPAddress", "ecs.amazonaws.com".into()),
            access.to_owned(),
            with(access, "/errorCode", "AccessDenied".into()),
            with(access, "/userIdentity/sessionContext", Json::Null),
            with(access, "/userAgent", "a \"quoted\"\nagent".into()),
        ];
        let seen: Vec<String> = rows.iter().map(|it| shown(it)).collect();
        insta::assert_snapshot!(seen.join("\n"), @r#"
        aws-cloudtrail Request time=2026-11-18T11:06:40.000Z expires=2026-11-18T11:21:40.000Z event="9a1b0000-0000-4000-8000-000000000002" client="arn:aws:iam::444455556666:role/partner-acme" token_id="ASIAEXAMPLE0001" actor="acme-sync" subject="arn:aws:sts::444455556666:assumed-role/partner-acme/acme-sync" key="cs-acme-7f1c" agent="acme-sync/4.2" action="AssumeRole" resource="sts.amazonaws.com" ip=198.51.100.24 awsRegion:"eu-west-1" requestID:"9a1b0000-0000-4000-8000-000000000001" sharedEventID:"9a1b0000-0000-4000-8000-000000000003" eventCategory:"Management"
        aws-cloudtrail Request time=2026-11-18T11:06:40.000Z expires=2026-12-31T12:00:00.000Z event="9a1b0000-0000-4000-8000-000000000002" client="arn:aws:iam::444455556666:role/partner-acme" token_id="ASIAEXAMPLE0001" actor="acme-sync" subject="arn:aws:sts::444455556666:assumed-role/partner-acme/acme-sync" key="cs-acme-7f1c" agent="acme-sync/4.2" action="AssumeRole" resource="sts.amazonaws.com" ip=198.51.100.24 awsRegion:"eu-west-1" requestID:"9a1b0000-0000-4000-8000-000000000001" sharedEventID:"9a1b0000-0000-4000-8000-000000000003" eventCategory:"Management"
        aws-cloudtrail Request time=2026-11-18T11:06:40.000Z expires=2027-01-01T00:00:05.000Z event="9a1b0000-0000-4000-8000-000000000002" client="arn:aws:iam::444455556666:role/partner-acme" token_id="ASIAEXAMPLE0001" actor="acme-sync" subject="arn:aws:sts::444455556666:assumed-role/partner-acme/acme-sync" key="cs-acme-7f1c" agent="acme-sync/4.2" action="AssumeRole" resource="sts.amazonaws.com" ip=198.51.100.24 awsRegion:"eu-west-1" requestID:"9a1b0000-0000-4000-8000-000000000001" sharedEventID:"9a1b0000-0000-4000-8000-000000000003" eventCategory:"Management"
        aws-cloudtrail Request time=2026-11-18T11:06:40.000Z event="9a1b0000-0000-4000-8000-000000000002" client="arn:aws:iam::444455556666:role/partner-acme" token_id="ASIAEXAMPLE0001" actor="acme-sync" subject="arn:aws:sts::444455556666:assumed-role/partner-acme/acme-sync" key="cs-acme-7f1c" agent="acme-sync/4.2" action="AssumeRole" resource="sts.amazonaws.com" ip=198.51.100.24 awsRegion:"eu-west-1" requestID:"9a1b0000-0000-4000-8000-000000000001" sharedEventID:"9a1b0000-0000-4000-8000-000000000003" eventCategory:"Management" unreadable:expires_at
        aws-cloudtrail Request time=2026-11-18T11:06:40.000Z event="9a1b0000-0000-4000-8000-000000000002" client="arn:aws:iam::444455556666:role/partner-acme" actor="acme-sync" key="cs-acme-7f1c" agent="acme-sync/4.2" action="AssumeRole" resource="sts.amazonaws.com" ip=198.51.100.24 awsRegion:"eu-west-1" requestID:"9a1b0000-0000-4000-8000-000000000001" sharedEventID:"9a1b0000-0000-4000-8000-000000000003" eventCategory:"Management"
        aws-cloudtrail Request time=2026-11-18T11:06:40.000Z expires=2026-11-18T11:21:40.000Z event="9a1b0000-0000-4000-8000-000000000002" client="arn:aws:iam::444455556666:role/partner-acme" token_id="ASIAEXAMPLE0001" actor="acme-sync" subject="arn:aws:sts::444455556666:assumed-role/partner-acme/acme-sync" key="cs-acme-7f1c" agent="acme-sync/4.2" action="AssumeRole" resource="sts.amazonaws.com" awsRegion:"eu-west-1" requestID:"9a1b0000-0000-4000-8000-000000000001" sharedEventID:"9a1b0000-0000-4000-8000-000000000003" eventCategory:"Management"
        aws-cloudtrail Use time=2026-11-18T11:07:11.000Z issued=2026-11-18T11:06:40.000Z event="9a1b0000-0000-4000-8000-000000000004" client="arn:aws:iam::444455556666:role/partner-acme" token_id="ASIAEXAMPLE0001" actor="acme-sync" subject="AROAEXAMPLE:acme-sync" agent="acme-sync/4.2" action="GetObject" resource="s3.amazonaws.com" ip=198.51.100.24 requestID:"R7EXAMPLE" eventCategory:"Data"
        aws-cloudtrail Use refused time=2026-11-18T11:07:11.000Z issued=2026-11-18T11:06:40.000Z event="9a1b0000-0000-4000-8000-000000000004" client="arn:aws:iam::444455556666:role/partner-acme" token_id="ASIAEXAMPLE0001" actor="acme-sync" subject="AROAEXAMPLE:acme-sync" agent="acme-sync/4.2" action="GetObject" resource="s3.amazonaws.com" ip=198.51.100.24 errorCode:"AccessDenied" requestID:"R7EXAMPLE" eventCategory:"Data"
        aws-cloudtrail Use time=2026-11-18T11:07:11.000Z event="9a1b0000-0000-4000-8000-000000000004" token_id="ASIAEXAMPLE0001" actor="acme-sync" subject="AROAEXAMPLE:acme-sync" agent="acme-sync/4.2" action="GetObject" resource="s3.amazonaws.com" ip=198.51.100.24 requestID:"R7EXAMPLE" eventCategory:"Data"
        aws-cloudtrail Use time=2026-11-18T11:07:11.000Z issued=2026-11-18T11:06:40.000Z event="9a1b0000-0000-4000-8000-000000000004" client="arn:aws:iam::444455556666:role/partner-acme" token_id="ASIAEXAMPLE0001" actor="acme-sync" subject="AROAEXAMPLE:acme-sync" agent="a \"quoted\"\nagent" action="GetObject" resource="s3.amazonaws.com" ip=198.51.100.24 requestID:"R7EXAMPLE" eventCategory:"Data"
        "#);
    }
}
