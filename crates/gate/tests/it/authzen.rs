//! The AuthZEN adapter, asked as a stranger's library would ask it.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use countersign_gate::Gate;
use countersign_gate::adapter::authzen::{BODY_BYTES_MAX, Settings, router};
use serde_json::{Value, json};

use crate::clock;
use crate::question::{ask, evaluation, post, right_question, send, served};
use crate::table::table;
use crate::world::{MARKETPLACE, SAAS, pins};

#[tokio::test]
async fn the_shared_table_has_the_same_answers_over_http() {
    for row in table() {
        if row.name == "mint without facts" {
            continue;
        }
        let answer = ask(&served(row.manifest), &evaluation(&row.call)).await;
        assert_eq!(answer.status, 200, "{}: {}", row.name, answer.text);
        let body = answer.json();
        assert_eq!(body["context"]["reason"]["code"], row.reason, "{}", row.name);
        assert_eq!(body["decision"], row.reason == "admitted", "{}", row.name);
    }
}

#[tokio::test]
async fn an_answer_says_what_it_rests_on() {
    let mut body = ask(&served(SAAS), &right_question()).await.json();
    let id = body["context"]["decision_id"].take();
    assert!(id.as_str().unwrap().starts_with("dec_"));
    insta::assert_snapshot!(serde_json::to_string_pretty(&body).unwrap(), @r#"
    {
      "context": {
        "age_ms": 0,
        "as_of": "2026-11-24T09:00:00.000Z",
        "certificate": "crt_01M86CH3M00R30C1G60R30C1G6",
        "decision_id": null,
        "epoch": 7,
        "fresh_for_ms": 5000,
        "integration": "acme-helpdesk",
        "reason": {
          "code": "admitted",
          "explain": "The integration is certified and the call lies inside what was certified."
        },
        "stale_but_admitted": false
      },
      "decision": true
    }
    "#);
}

#[tokio::test]
async fn what_is_no_evaluation_request_is_400_with_a_sentence() {
    let router = served(SAAS);
    let without = |path: &[&str]| {
        let mut body = right_question();
        let (last, way) = path.split_last().unwrap();
        let at = way.iter().fold(&mut body, |at, name| &mut at[*name]);
        at.as_object_mut().unwrap().remove(*last);
        body.to_string()
    };
    let with = |pointer: &str, value: Value| {
        let mut body = right_question();
        *body.pointer_mut(pointer).unwrap() = value;
        body.to_string()
    };
    let context = |value: Value| {
        let mut body = right_question();
        body["context"] = value;
        body.to_string()
    };
    let twice = r#"{"subject":{"type":"client","id":"a"},"subject":{"type":"client","id":"b"}}"#;
    let table: Vec<(&str, String)> = vec![
        ("empty", String::new()),
        ("not JSON", "subject=acme".to_owned()),
        ("cut", right_question().to_string()[..40].to_owned()),
        ("a list", "[]".to_owned()),
        ("a member twice", twice.to_owned()),
        ("something after it", format!("{}{{}}", right_question())),
        ("no subject", without(&["subject"])),
        ("no subject type", without(&["subject", "type"])),
        ("no subject id", without(&["subject", "id"])),
        ("no action", without(&["action"])),
        ("no action name", without(&["action", "name"])),
        ("no resource", without(&["resource"])),
        ("no resource type", without(&["resource", "type"])),
        ("no resource id", without(&["resource", "id"])),
        ("subject is a text", with("/subject", json!("acme-helpdesk"))),
        ("subject id is a number", with("/subject/id", json!(7))),
        ("subject id is empty", with("/subject/id", json!(""))),
        (
            "properties are a list",
            with("/subject", json!({"type":"client","id":"a","properties":[]})),
        ),
        ("context is a text", context(json!("x"))),
        ("ip is none", context(json!({"ip": "localhost"}))),
        ("iat is a text", context(json!({"iat": "now"}))),
        ("ttl is negative", context(json!({"ttl_seconds": -1}))),
        ("scopes are a text", context(json!({"scopes": "a b"}))),
        ("a scope is a number", context(json!({"scopes": [1]}))),
        ("causes are a list", context(json!({"causes": ["role-grant"]}))),
        ("a cause is no number", context(json!({"causes": {"role-grant": 1.5}}))),
        ("too large", "x".repeat(BODY_BYTES_MAX + 1)),
    ];
    let mut sentences = String::new();
    for (name, body) in table {
        let answer = send(&router, post("/access/v1/evaluation", body)).await;
        assert_eq!(answer.status, 400, "{name}: {}", answer.text);
        let _infallible = writeln!(sentences, "{name}: {}", answer.text);
    }
    insta::assert_snapshot!(sentences, @r"
    empty: the body is not one JSON object whose members each stand once
    not JSON: the body is not one JSON object whose members each stand once
    cut: the body is not one JSON object whose members each stand once
    a list: the body is not one JSON object whose members each stand once
    a member twice: the body is not one JSON object whose members each stand once
    something after it: the body is not one JSON object whose members each stand once
    no subject: `subject` is missing
    no subject type: `subject.type` is missing
    no subject id: `subject.id` is missing
    no action: `action` is missing
    no action name: `action.name` is missing
    no resource: `resource` is missing
    no resource type: `resource.type` is missing
    no resource id: `resource.id` is missing
    subject is a text: `subject` is not an object
    subject id is a number: `subject.id` is not a text
    subject id is empty: `subject.id` is not a text
    properties are a list: `subject.properties` is not an object
    context is a text: `context` is not an object
    ip is none: `context.ip` is not an address
    iat is a text: `context.iat` is not seconds since 1970
    ttl is negative: `context.ttl_seconds` is not whole seconds
    scopes are a text: `context.scopes` is not a list of texts
    a scope is a number: `context.scopes` is not a list of texts
    causes are a list: `context.causes` is not an object of whole numbers
    a cause is no number: `context.causes` is not an object of whole numbers
    too large: the body is too large or ends early
    ");
}

#[tokio::test]
async fn the_content_type_is_json_or_it_is_400() {
    let router = served(SAAS);
    let with = |value: Option<&str>| {
        let mut request = post("/access/v1/evaluation", right_question().to_string());
        request.headers_mut().remove("content-type");
        if let Some(value) = value {
            request.headers_mut().insert("content-type", value.parse().unwrap());
        }
        request
    };
    let table = [
        (None, 400),
        (Some("text/plain"), 400),
        (Some("application/x-www-form-urlencoded"), 400),
        (Some("application/jsonp"), 400),
        (Some("application/json"), 200),
        (Some("Application/JSON; charset=utf-8"), 200),
    ];
    for (value, status) in table {
        assert_eq!(send(&router, with(value)).await.status, status, "{value:?}");
    }
}

#[tokio::test]
async fn only_a_known_token_may_ask_or_read() {
    let router = served(SAAS);
    let known = ask(&router, &right_question()).await.json();
    let decision =
        format!("/access/v1/decisions/{}", known["context"]["decision_id"].as_str().unwrap());
    let table = [
        (None, 401),
        (Some("Bearer first"), 200),
        (Some("bearer second"), 200),
        (Some("Bearer third"), 401),
        (Some("Bearer "), 401),
        (Some("Bearer"), 401),
        (Some("Bearer first "), 401),
        (Some("Bearer first,second"), 401),
        (Some("Basic first"), 401),
        (Some("first"), 401),
        (Some(""), 401),
    ];
    for (value, status) in table {
        for path in ["/access/v1/evaluation", "/access/v1/evaluations", &decision] {
            let mut request = post(path, right_question().to_string());
            if path == decision {
                *request.method_mut() = axum::http::Method::GET;
            }
            request.headers_mut().remove("authorization");
            if let Some(value) = value {
                request.headers_mut().insert("authorization", value.parse().unwrap());
            }
            let answer = send(&router, request).await;
            assert_eq!(answer.status, status, "{value:?} at {path}");
            assert_eq!(answer.headers.contains_key("www-authenticate"), status == 401);
        }
    }
    let mut two = post("/access/v1/evaluation", right_question().to_string());
    two.headers_mut().append("authorization", "Bearer first".parse().unwrap());
    assert_eq!(send(&router, two).await.status, 401, "two credentials are none");
}

#[tokio::test]
async fn a_gate_without_tokens_answers_nobody() {
    let gate = Arc::new(Gate::new(pins()));
    let settings =
        Settings { url: "https://gate.example".to_owned(), tokens: Vec::new(), clock: clock::now };
    let router = router(gate, settings);
    assert_eq!(ask(&router, &right_question()).await.status, 401);
}

#[tokio::test]
async fn every_answer_carries_the_name_of_its_request() {
    let router = served(SAAS);
    let named = |mut request: Request<Body>, id: &str| {
        request.headers_mut().insert("x-request-id", id.parse().unwrap());
        request
    };
    let body = || right_question().to_string();
    let nobody = |mut request: Request<Body>| {
        request.headers_mut().remove("authorization");
        request
    };
    let table = [
        ("yes", post("/access/v1/evaluation", body()), 200),
        ("bad", post("/access/v1/evaluation", "{"), 400),
        ("who", nobody(post("/access/v1/evaluation", body())), 401),
        ("nowhere", post("/access/v1/nothing", body()), 404),
    ];
    for (id, request, status) in table {
        let answer = send(&router, named(request, id)).await;
        assert_eq!(answer.status, status, "{id}");
        let echoed = answer.headers.get("x-request-id").map(|it| it.to_str().unwrap());
        assert_eq!(echoed, Some(id));
    }
    let long = "x".repeat(257);
    let answer = send(&router, named(post("/access/v1/evaluation", body()), &long)).await;
    assert_eq!(answer.headers.get("x-request-id"), None, "a name has a length");
    assert_eq!(ask(&router, &right_question()).await.headers.get("x-request-id"), None);
}

#[tokio::test]
async fn unknown_members_are_ignored_and_unknown_words_are_a_no() {
    let router = served(SAAS);
    let mut body = right_question();
    body["extra"] = json!({ "deep": [1, 2.5, null] });
    body["subject"]["properties"] = json!({ "department": "x" });
    body["context"]["jti"] = json!("abc");
    body["context"]["audience"] = json!("https://api.example");
    assert_eq!(ask(&router, &body).await.json()["decision"], true);
    let table = [
        ("/subject/type", "user"),
        ("/action/name", "token-steal"),
        ("/action/name", "Token-Mint"),
        ("/resource/type", "document"),
        ("/resource/type", "workflow"),
    ];
    for (pointer, word) in table {
        let mut body = right_question();
        *body.pointer_mut(pointer).unwrap() = json!(word);
        let answer = ask(&router, &body).await;
        let said = answer.json();
        assert_eq!(
            (answer.status, &said["decision"], &said["context"]["reason"]["code"]),
            (200, &json!(false), &json!("unknown-word")),
            "{pointer} {word}"
        );
        assert!(said["context"]["decision_id"].is_string(), "{pointer} {word} is remembered");
    }
}

#[tokio::test]
async fn two_places_for_one_fact_cannot_say_two_things() {
    let router = served(SAAS);
    let question = |id: &str, context: Value| {
        json!({
            "subject": { "type": "client", "id": "acme-helpdesk" },
            "action": { "name": "token-use" },
            "resource": { "type": "endpoint", "id": id },
            "context": context,
        })
    };
    let scopes = json!(["tickets:write"]);
    let same = json!({ "scopes": scopes, "method": "PATCH", "path": "/v1/tickets/17" });
    let answer = ask(&router, &question("PATCH /v1/tickets/17", same)).await;
    assert_eq!(answer.json()["decision"], true, "{}", answer.text);
    for context in [
        json!({ "scopes": scopes, "method": "DELETE" }),
        json!({ "scopes": scopes, "path": "/v1/tickets/18" }),
    ] {
        let answer = ask(&router, &question("PATCH /v1/tickets/17", context.clone())).await;
        assert_eq!(answer.status, 400, "{context}");
    }
    // Scopes of both places are needed, so neither can hide one.
    let mut both = right_question();
    both["context"]["scope"] = json!("users:write");
    let answer = ask(&router, &both).await.json();
    assert_eq!(answer["context"]["reason"]["code"], "outside-scope");
}

#[tokio::test]
async fn an_old_snapshot_is_a_no_that_says_so_and_best_effort_says_that_it_stood() {
    let strict = served(SAAS);
    let standing = served(MARKETPLACE);
    let event = |name: &str| {
        json!({
            "subject": { "type": "client", "id": "shiftly-planner" },
            "action": { "name": "event-out" },
            "resource": { "type": "event", "id": name },
            "context": { "subject": "sub:group.changed" },
        })
    };
    let event = event("group.member.added");
    let mut lines = String::new();
    let mut now = 0;
    for seconds in [0, 4, 5, 299, 300] {
        clock::pass(seconds - now);
        now = seconds;
        for (name, router, body) in
            [("strict", &strict, right_question()), ("best-effort", &standing, event.clone())]
        {
            let said = ask(router, &body).await.json();
            let it = &said["context"];
            let _infallible = writeln!(
                lines,
                "{seconds:>3} s {name:<11} {:<5} {} age {} ms, fresh for {} ms, stale but admitted {}",
                said["decision"],
                it["reason"]["code"],
                it["age_ms"],
                it["fresh_for_ms"],
                it["stale_but_admitted"],
            );
        }
    }
    insta::assert_snapshot!(lines, @r#"
      0 s strict      true "admitted" age 0 ms, fresh for 5000 ms, stale but admitted false
      0 s best-effort true "admitted" age 0 ms, fresh for 5000 ms, stale but admitted false
      4 s strict      true "admitted" age 4000 ms, fresh for 1000 ms, stale but admitted false
      4 s best-effort true "admitted" age 4000 ms, fresh for 1000 ms, stale but admitted false
      5 s strict      false "stale" age 5000 ms, fresh for 0 ms, stale but admitted false
      5 s best-effort true "admitted" age 5000 ms, fresh for 0 ms, stale but admitted true
    299 s strict      false "stale" age 299000 ms, fresh for 0 ms, stale but admitted false
    299 s best-effort true "admitted" age 299000 ms, fresh for 0 ms, stale but admitted true
    300 s strict      false "stale" age 300000 ms, fresh for 0 ms, stale but admitted false
    300 s best-effort false "stale" age 300000 ms, fresh for 0 ms, stale but admitted false
    "#);
}

#[tokio::test]
async fn whoever_integrates_finds_the_endpoints() {
    let router = served(SAAS);
    let request = Request::get("/.well-known/authzen-configuration").body(Body::empty()).unwrap();
    let answer = send(&router, request).await;
    insta::assert_snapshot!(serde_json::to_string_pretty(&answer.json()).unwrap(), @r#"
    {
      "access_evaluation_endpoint": "https://gate.example/access/v1/evaluation",
      "access_evaluations_endpoint": "https://gate.example/access/v1/evaluations",
      "policy_decision_point": "https://gate.example"
    }
    "#);
}

#[tokio::test]
async fn a_decision_can_be_explained_and_asked_again() {
    let router = served(SAAS);
    let mut body = right_question();
    body["resource"]["id"] = json!("users:write");
    let said = ask(&router, &body).await.json();
    let id = said["context"]["decision_id"].as_str().unwrap().to_owned();
    let get = |id: &str| {
        let request = Request::get(format!("/access/v1/decisions/{id}"));
        request.header("authorization", "Bearer first").body(Body::empty()).unwrap()
    };
    clock::pass(600);
    let record = send(&router, get(&id)).await.json();
    assert_eq!(record["reason"]["code"], "outside-scope");
    assert_eq!(record["again"]["reason"]["code"], "outside-scope", "at the moment of then");
    let text = record["explain"].as_str().unwrap().replace(&id, "dec_…");
    insta::assert_snapshot!(text, @r"
    REFUSED  token-mint · acme-helpdesk · 2026-11-24T09:00:00.000Z
      because   outside-scope: The scope is not part of what was certified. Declare it and certify again.
      asked     scope=users:write  grant=client_credentials  ttl=300s  ip=192.0.2.9
      knew      epoch 7; the server was heard 0 ms ago
      rests on  crt_01M86CH3M00R30C1G60R30C1G6
      decision  dec_…
    ");
    assert_eq!(send(&router, get(&format!("dec_{}", "0".repeat(26)))).await.status, 404);
    assert_eq!(send(&router, get("crt_1")).await.status, 400);
}
