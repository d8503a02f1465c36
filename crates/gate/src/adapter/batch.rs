//! Many questions in one request, answered in order.
//!
//! Source: AuthZEN Authorization API 1.0, section 7.

use serde_json::{Map, Value, json};

use super::evaluation::{BadRequest, Question, bad, object};

/// How many questions a request may hold.
pub(crate) const EVALUATIONS_MAX: usize = 256;

/// When a row of questions ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Semantic {
    DenyOnFirstDeny,
    ExecuteAll,
    PermitOnFirstPermit,
}

/// Answers each question with `ask`; without any, the request itself is the one question.
///
/// A question that is none is a "no" in its own place, and ends nothing but what a "no" ends.
pub(crate) fn evaluate(
    request: &Map<String, Value>,
    ask: impl Fn(Question<'_>) -> Result<Value, BadRequest>,
) -> Result<Value, BadRequest> {
    let questions = match request.get("evaluations") {
        None => &[],
        Some(Value::Array(it)) => it.as_slice(),
        Some(_) => return bad("`evaluations` is not a list"),
    };
    let semantic = semantic(request)?;
    if questions.is_empty() {
        return ask(Question { own: request, defaults: None });
    }
    if EVALUATIONS_MAX < questions.len() {
        return bad(format!("there are more than {EVALUATIONS_MAX} evaluations"));
    }
    let mut answers = Vec::with_capacity(questions.len());
    for question in questions {
        let answer = match question {
            Value::Object(own) => ask(Question { own, defaults: Some(request) }),
            _ => bad("an evaluation is not an object"),
        };
        let answer = answer.unwrap_or_else(|error| {
            let error = json!({ "status": 400, "message": error.to_string() });
            json!({ "decision": false, "context": { "error": error } })
        });
        let admitted = answer.get("decision").and_then(Value::as_bool).unwrap_or_default();
        answers.push(answer);
        match semantic {
            Semantic::DenyOnFirstDeny if !admitted => break,
            Semantic::PermitOnFirstPermit if admitted => break,
            _ => {}
        }
    }
    Ok(json!({ "evaluations": answers }))
}

fn semantic(request: &Map<String, Value>) -> Result<Semantic, BadRequest> {
    let options = object(request.get("options"), "options")?;
    match options.and_then(|it| it.get("evaluations_semantic")).map(Value::as_str) {
        None | Some(Some("execute_all")) => Ok(Semantic::ExecuteAll),
        Some(Some("deny_on_first_deny")) => Ok(Semantic::DenyOnFirstDeny),
        Some(Some("permit_on_first_permit")) => Ok(Semantic::PermitOnFirstPermit),
        Some(_) => bad(
            "`options.evaluations_semantic` is not execute_all, deny_on_first_deny or permit_on_first_permit",
        ),
    }
}
