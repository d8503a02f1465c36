//! The forms of an HTML page. Foreign bytes: everything is bounded, nothing is run.

use html5gum::emitters::default::DefaultEmitter;
use html5gum::{StartTag, Token, Tokenizer};

/// A form of a page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Form {
    /// Where it goes, as it is written; empty for the page itself.
    pub action: String,
    /// Whether it is posted.
    pub is_post: bool,
    /// Its fields, in order.
    pub fields: Vec<Field>,
}

/// A field of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name; one without a name is not sent.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// What stands in it.
    pub value: String,
}

/// What a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A button that sends the form.
    Button,
    /// A box that is ticked.
    Checked,
    /// Nothing that people see.
    Hidden,
    /// Where a password goes.
    Password,
    /// Where a word goes.
    Text,
}

impl Form {
    /// Whether it has a field of this kind.
    pub fn has(&self, kind: Kind) -> bool {
        self.fields.iter().any(|it| it.kind == kind)
    }

    /// Whether it only asks for a click: it is posted, and there is a button and nothing to fill in.
    pub fn is_consent(&self) -> bool {
        let asks = self.has(Kind::Password) || self.has(Kind::Text);
        self.is_post && !asks && self.fields.iter().any(Field::is_yes)
    }

    /// What is sent: the fields as they stand, name and password where they go, and the first button
    /// that does not say no.
    pub fn pairs(&self, person: Option<(&str, &str)>) -> Vec<(String, String)> {
        let user = self.user_field();
        let button = self.fields.iter().position(Field::is_yes);
        let mut pairs = Vec::new();
        for (index, field) in self.fields.iter().enumerate() {
            let value = match (field.kind, person) {
                (Kind::Button, _) if Some(index) != button => continue,
                (Kind::Text, Some((name, _))) if Some(index) == user => name,
                (Kind::Password, Some((_, password))) => password,
                _ => field.value.as_str(),
            };
            if !field.name.is_empty() {
                pairs.push((field.name.clone(), value.to_owned()));
            }
        }
        pairs
    }

    /// The field for the name: the last word before the password.
    fn user_field(&self) -> Option<usize> {
        let password = self.fields.iter().position(|it| it.kind == Kind::Password);
        let before = &self.fields[..password.unwrap_or(self.fields.len())];
        let last = before.iter().rposition(|it| it.kind == Kind::Text);
        last.or_else(|| self.fields.iter().position(|it| it.kind == Kind::Text))
    }
}

impl Field {
    fn is_yes(&self) -> bool {
        let text = format!("{} {}", self.name, self.value).to_lowercase();
        let no = ["cancel", "deny", "decline", "reject", "abort", "abbrechen"];
        let is_no = no.iter().any(|it| text.contains(it)) || self.value.eq_ignore_ascii_case("no");
        self.kind == Kind::Button && !is_no
    }
}

/// The forms of a page.
pub fn forms(page: &[u8]) -> Vec<Form> {
    let page = &page[..page.len().min(PAGE_BYTES_MAX)];
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    let mut forms: Vec<Form> = Vec::new();
    let mut is_open = false;
    for Ok(token) in Tokenizer::new_with_emitter(page, emitter) {
        match token {
            Token::StartTag(tag) if &**tag.name == b"form" && forms.len() < FORMS_MAX => {
                forms.push(Form {
                    action: text(&tag, b"action"),
                    is_post: text(&tag, b"method").eq_ignore_ascii_case("post"),
                    fields: Vec::new(),
                });
                is_open = true;
            }
            Token::EndTag(tag) if &**tag.name == b"form" => is_open = false,
            Token::StartTag(tag) if is_open => {
                let fields = forms.last_mut().map(|it| &mut it.fields);
                if let (Some(fields), Some(field)) = (fields, field(&tag))
                    && fields.len() < FIELDS_MAX
                {
                    fields.push(field);
                }
            }
            _ => {}
        }
    }
    forms
}

fn field(tag: &StartTag<()>) -> Option<Field> {
    if tag.attributes.contains_key(b"disabled".as_slice()) {
        return None;
    }
    let written = text(tag, b"type").to_ascii_lowercase();
    let kind = match (tag.name.as_slice(), written.as_str()) {
        (b"button", "submit" | "") | (b"input", "submit" | "image") => Kind::Button,
        (b"input", "hidden") => Kind::Hidden,
        (b"input", "password") => Kind::Password,
        (b"input", "checkbox" | "radio") => {
            tag.attributes.contains_key(b"checked".as_slice()).then_some(Kind::Checked)?
        }
        (b"input", "button" | "reset" | "file") => return None,
        (b"input", _) => Kind::Text,
        _ => return None,
    };
    let value = text(tag, b"value");
    let value = if kind == Kind::Checked && value.is_empty() { "on".to_owned() } else { value };
    Some(Field { name: text(tag, b"name"), kind, value })
}

fn text(tag: &StartTag<()>, name: &[u8]) -> String {
    let value = tag.attributes.get(name).map(|it| it.value.as_slice()).unwrap_or_default();
    let value = &value[..value.len().min(VALUE_BYTES_MAX)];
    String::from_utf8_lossy(value).into_owned()
}

const PAGE_BYTES_MAX: usize = 512 * 1024;
const FORMS_MAX: usize = 20;
const FIELDS_MAX: usize = 100;
const VALUE_BYTES_MAX: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(page: &str) -> Vec<String> {
        let forms = forms(page.as_bytes());
        let pairs = forms[0].pairs(Some(("kim", "pw")));
        pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect()
    }

    #[test]
    fn the_forms_of_known_servers_are_filled_in() {
        // Keycloak.
        let page = r#"<script>document.write("<form><input type=password></form>")</script>
            <form id="kc-form-login" action="https://kc/realms/x/login-actions/authenticate?session_code=a&amp;tab_id=b" method="post">
            <input tabindex="2" id="username" name="username" value="" type="text" autofocus/>
            <input id="password" name="password" type="password" autocomplete="current-password"/>
            <input id="rememberMe" name="rememberMe" type="checkbox"> Remember me
            <input type="hidden" id="id-hidden-input" name="credentialId" />
            <input name="login" id="kc-login" type="submit" value="Sign In"/></form>"#;
        assert_eq!(sent(page), ["username=kim", "password=pw", "credentialId=", "login=Sign In"]);
        let first = &forms(page.as_bytes())[0];
        assert!(first.is_post && first.action.ends_with("session_code=a&tab_id=b"));
        // oidc-provider's own interactions.
        let page = r#"<form autocomplete="off" action="/interaction/u/login" method="post">
            <input type="hidden" name="prompt" value="login"/>
            <input required type="text" name="login" placeholder="Enter any login" autofocus="on">
            <input required type="password" name="password" placeholder="and password">
            <button type="submit" class="login login-submit">Sign-in</button></form>"#;
        assert_eq!(sent(page), ["prompt=login", "login=kim", "password=pw"]);
        assert!(!forms(page.as_bytes())[0].is_consent());
    }

    #[test]
    fn a_page_that_asks_for_a_click_gets_a_yes() {
        let page = r#"<form action="" method="POST"><input type="hidden" name="code" value="c">
            <input type="submit" name="cancel" value="No"><input name="accept" type="submit" value="Yes"></form>"#;
        assert!(forms(page.as_bytes())[0].is_consent());
        assert_eq!(sent(page), ["code=c", "accept=Yes"]);
        let search = r#"<form action="/search"><input name="q"><button>Go</button></form>"#;
        assert!(!forms(search.as_bytes())[0].is_consent());
    }

    #[test]
    fn a_hostile_page_costs_little() {
        let many = "<form method=post>".to_owned() + &"<input name=a>".repeat(10_000);
        assert_eq!(forms(many.as_bytes())[0].fields.len(), FIELDS_MAX);
        assert_eq!(forms("<form>".repeat(1_000).as_bytes()).len(), FORMS_MAX);
        for page in ["", "<", "<form", "<form action=", "<input type=password>", "\u{0}\u{ffff}"] {
            assert!(forms(page.as_bytes()).iter().all(|it| it.fields.is_empty()), "{page}");
        }
    }
}
