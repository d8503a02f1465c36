//! A form that is posted to an endpoint, as a request and as a command to repeat by hand.

use url::form_urlencoded::Serializer;

use crate::live::ask::Ask;

/// A form for an endpoint.
#[derive(Clone)]
pub(crate) struct Form {
    endpoint: String,
    fields: Vec<(String, String)>,
    authorization: Option<String>,
}

impl Form {
    /// An empty form.
    pub(crate) fn new(endpoint: &str) -> Self {
        Self { endpoint: endpoint.to_owned(), fields: Vec::new(), authorization: None }
    }

    /// With a field; one of this name goes.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|it| it.0 != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a field where there is something to say.
    pub(crate) fn with_some(self, name: &str, value: &str) -> Self {
        if value.is_empty() { self } else { self.with(name, value) }
    }

    /// With an `Authorization` header.
    pub(crate) fn authorized(mut self, value: String) -> Self {
        self.authorization = Some(value);
        self
    }

    /// To another address: the same endpoint with a query, say.
    pub(crate) fn to(mut self, endpoint: String) -> Self {
        self.endpoint = endpoint;
        self
    }

    /// The request.
    pub(crate) fn ask(&self) -> Ask {
        let mut ask = Ask::new("POST", &self.endpoint)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json");
        ask.body = Serializer::new(String::new()).extend_pairs(&self.fields).finish().into_bytes();
        match &self.authorization {
            Some(it) => ask.header("authorization", it.clone()),
            None => ask,
        }
    }

    /// The command to repeat it by hand. Whatever opens something is a variable of the shell, and a
    /// line says how to get it.
    pub(crate) fn by_hand(&self) -> String {
        let (mut words, mut lines) = (vec!["curl -i".to_owned(), quoted(&self.endpoint)], vec![]);
        let mut hide = |name: &str| {
            let (variable, how) = variable(name)?;
            lines.push(format!("# {variable}: {how}"));
            Some(variable)
        };
        if let Some(value) = &self.authorization {
            let scheme = value.split_once(' ').map_or("", |it| it.0);
            let variable = hide("authorization").unwrap_or_default();
            words.push(format!("-H \"authorization: {scheme} ${variable}\""));
        }
        for (name, value) in &self.fields {
            words.push(match hide(name) {
                Some(variable) => format!("--data-urlencode \"{name}=${variable}\""),
                None => format!("--data-urlencode {}", quoted(&format!("{name}={value}"))),
            });
        }
        let command = words.join(" ");
        lines.iter().rev().fold(command, |text, line| format!("{line}\n{text}"))
    }
}

/// The variable for a field that opens something, and how to get it.
fn variable(name: &str) -> Option<(&'static str, &'static str)> {
    Some(match name {
        "assertion" | "client_assertion" => (
            "CLIENT_ASSERTION",
            "a JWT that the client signs about itself (RFC 7523), changed as the finding says",
        ),
        "authorization" => ("CREDENTIALS", "base64 of client id, colon and secret"),
        "client_secret" => {
            ("CLIENT_SECRET", "the secret of the client, or the word of the finding")
        }
        "code" => ("CODE", "the code that the authorization endpoint sent to the redirect address"),
        "code_verifier" => ("CODE_VERIFIER", "the verifier whose challenge was sent (RFC 7636)"),
        "password" => ("PASSWORD", "the password of the test person"),
        "refresh_token" => ("REFRESH_TOKEN", "`refresh_token` of an answer of the token endpoint"),
        "token" => ("TOKEN", "the token that the finding speaks of"),
        "username" => ("USERNAME", "the name of the test person"),
        _ => return None,
    })
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_opens_something_never_stands_in_the_command() {
        let form = Form::new("https://id.example.com/oauth/token")
            .with("grant_type", "refresh_token")
            .with("refresh_token", "it's one")
            .authorized("Basic abc".to_owned());
        insta::assert_snapshot!(form.by_hand(), @r#"
        # CREDENTIALS: base64 of client id, colon and secret
        # REFRESH_TOKEN: `refresh_token` of an answer of the token endpoint
        curl -i 'https://id.example.com/oauth/token' -H "authorization: Basic $CREDENTIALS" --data-urlencode 'grant_type=refresh_token' --data-urlencode "refresh_token=$REFRESH_TOKEN"
        "#);
        assert_eq!(
            String::from_utf8(form.ask().body).unwrap(),
            concat!("grant_type=refresh_token&refresh_tok", "en=it%27s+one")
        );
    }
}
