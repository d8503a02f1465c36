//! Many questions in one request.

use serde_json::{Value, json};

use crate::question::{ask_many, right_question, served};
use crate::world::SAAS;

#[tokio::test]
async fn many_questions_are_answered_in_order_and_end_as_asked() {
    let router = served(SAAS);
    let scope = |id: &str| json!({ "resource": { "type": "scope", "id": id } });
    let batch = |semantic: Option<&str>, evaluations: Value| {
        let mut body = right_question();
        body.as_object_mut().unwrap().remove("resource");
        body["evaluations"] = evaluations;
        if let Some(semantic) = semantic {
            body["options"] = json!({ "evaluations_semantic": semantic });
        }
        body
    };
    let yes = "tickets:write";
    let rows = json!([scope(yes), scope("users:write"), {"action": 7}, scope(yes)]);
    let table = [
        (None, "yes no error yes"),
        (Some("execute_all"), "yes no error yes"),
        (Some("deny_on_first_deny"), "yes no"),
        (Some("permit_on_first_permit"), "yes"),
    ];
    for (semantic, expected) in table {
        let answer = ask_many(&router, &batch(semantic, rows.clone())).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let body = answer.json();
        let words: Vec<&str> = body["evaluations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| match (&it["decision"], it["context"]["error"]["status"].as_u64()) {
                (Value::Bool(true), None) => "yes",
                (Value::Bool(false), None) => "no",
                (Value::Bool(false), Some(400)) => "error",
                _ => "nonsense",
            })
            .collect();
        assert_eq!(words.join(" "), expected, "{semantic:?}");
    }
    // An error is a "no" where a "no" ends the row.
    let first = json!([{ "action": 7 }, scope(yes)]);
    let answer = ask_many(&router, &batch(Some("deny_on_first_deny"), first)).await.json();
    assert_eq!(answer["evaluations"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_default_is_replaced_as_a_whole() {
    let router = served(SAAS);
    // The item's own context has no lifetime, and the default's is not mixed in.
    let mut body = right_question();
    body["evaluations"] = json!([{}, { "context": { "grant_type": "client_credentials" } }]);
    let answer = ask_many(&router, &body).await.json();
    let codes: Vec<&str> = answer["evaluations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["context"]["reason"]["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["admitted", "malformed"]);
}

#[tokio::test]
async fn without_evaluations_the_request_is_the_question() {
    let router = served(SAAS);
    for evaluations in [None, Some(json!([]))] {
        let mut body = right_question();
        if let Some(it) = evaluations {
            body["evaluations"] = it;
        }
        let answer = ask_many(&router, &body).await.json();
        assert_eq!(answer["decision"], true);
    }
    let mut many = right_question();
    many["evaluations"] = Value::Array(vec![json!({}); 257]);
    let mut odd = right_question();
    odd["evaluations"] = json!([{}]);
    odd["options"] = json!({ "evaluations_semantic": "best_of_three" });
    let text = json!({ "evaluations": "all" });
    for body in [many, odd, text] {
        assert_eq!(ask_many(&router, &body).await.status, 400);
    }
}
