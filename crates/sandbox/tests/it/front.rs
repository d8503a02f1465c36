//! The front channel of the platform's authorization server, as a browser and a client meet it.

use std::collections::{BTreeMap, BTreeSet};

use countersign_checks::platform::{FrontCopy, FrontTrait, Platform as _};
use countersign_model::enforce::snapshot::Lane;
use countersign_sandbox::World;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use url::Url;

use crate::helper::{connector, world};

const REDIRECT: &str = "https://app.acme.example/oauth/callback";
/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

struct Browser {
    world: World,
    http: reqwest::Client,
}

impl Browser {
    fn new() -> Self {
        let (world, _door) = world();
        let http = world.net().client(None).unwrap();
        Self { world, http }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.world.tenant(Lane::Trial).url())
    }

    async fn copy(&self, traits: &[FrontTrait]) -> FrontCopy {
        let traits: BTreeSet<FrontTrait> = traits.iter().copied().collect();
        connector(&self.world).copy_front("acme-helpdesk", &traits).await.unwrap()
    }

    async fn authorize(&self, client: &str, changes: &[(&str, &str)]) -> Response {
        let mut query = BTreeMap::from([
            ("response_type", "code"),
            ("client_id", client),
            ("redirect_uri", REDIRECT),
            ("state", "s-1"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]);
        query.extend(changes.iter().copied());
        query.retain(|_, it| !it.is_empty());
        self.http.get(self.url("/oauth/authorize")).query(&query).send().await.unwrap()
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> (StatusCode, Value) {
        let answer = self.http.post(self.url(path)).form(form).send().await.unwrap();
        let status = answer.status();
        (status, answer.json().await.unwrap_or_default())
    }

    async fn redeem(&self, client: &str, code: &str, verifier: &str) -> (StatusCode, Value) {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("client_id", client),
            ("code", code),
            ("redirect_uri", REDIRECT),
        ];
        if !verifier.is_empty() {
            form.push(("code_verifier", verifier));
        }
        self.post("/oauth/token", &form).await
    }
}

fn told(answer: &Response) -> BTreeMap<String, String> {
    let location = answer.headers().get("location").and_then(|it| it.to_str().ok());
    let url = Url::parse(location.unwrap()).unwrap();
    assert!(url.as_str().starts_with(REDIRECT), "{url}");
    url.query_pairs().into_owned().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_client_gets_a_code_that_counts_once() {
    let browser = Browser::new();
    let copy = browser.copy(&[FrontTrait::Public]).await;
    let client = copy.copy.client_id.as_str();
    assert_eq!(copy.redirects, [REDIRECT]);
    let told = told(&browser.authorize(client, &[]).await);
    assert_eq!(told["iss"], browser.url(""));
    assert_eq!(told["state"], "s-1");
    let (status, tokens) = browser.redeem(client, &told["code"], VERIFIER).await;
    assert_eq!(status, StatusCode::OK, "{tokens}");
    let access = tokens["access_token"].as_str().unwrap();
    let platform = connector(&browser.world);
    assert!(platform.introspect(access).await.unwrap());
    let (status, refused) = browser.redeem(client, &told["code"], VERIFIER).await;
    assert_eq!((status, &refused["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_grant")));
    assert!(!platform.introspect(access).await.unwrap(), "a replay kills what came first");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_requests_are_told_to_the_client_and_wrong_addresses_to_nobody() {
    let browser = Browser::new();
    let copy = browser.copy(&[FrontTrait::Public]).await;
    let client = copy.copy.client_id.as_str();
    let table: [(&[(&str, &str)], &str); 6] = [
        (&[("response_type", "token")], "unsupported_response_type"),
        (&[("response_type", "code id_token")], "unsupported_response_type"),
        (&[("code_challenge", "")], "invalid_request"),
        (&[("code_challenge_method", "plain")], "invalid_request"),
        (&[("code_challenge", ""), ("code_challenge_method", "")], "invalid_request"),
        (&[("scope", "everything")], "invalid_scope"),
    ];
    for (changes, error) in table {
        let answer = browser.authorize(client, changes).await;
        assert_eq!(told(&answer)["error"], error, "{changes:?}");
    }
    for redirect in [
        "https://app.acme.example/oauth/callback/more",
        "https://app.acme.example/oauth/callback?next=x",
        "http://app.acme.example/oauth/callback",
        "https://app.acme.example:8443/oauth/callback",
    ] {
        let answer = browser.authorize(client, &[("redirect_uri", redirect)]).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{redirect}");
        assert!(answer.headers().get("location").is_none(), "{redirect}");
    }
    let told = told(&browser.authorize(client, &[]).await);
    let (status, _) = browser.redeem(client, &told["code"], &VERIFIER.to_uppercase()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "another verifier");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_once_with_the_form_of_their_browser() {
    let browser = Browser::new();
    let copy = browser.copy(&[FrontTrait::Public, FrontTrait::SignsIn]).await;
    let login = copy.login.unwrap();
    let page = browser.authorize(&copy.copy.client_id, &[]).await;
    assert_eq!(page.status(), StatusCode::OK);
    let cookie = page.headers()["set-cookie"].to_str().unwrap().to_owned();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let page = page.text().await.unwrap();
    let ticket = page.split("name=\"ticket\" value=\"").nth(1).unwrap();
    let ticket = ticket.split('"').next().unwrap();
    let post = async |cookie: &str, password: &str| {
        let form = [("ticket", ticket), ("user", &login.user), ("password", password)];
        let ask = browser.http.post(browser.url("/oauth/login")).header("cookie", cookie);
        ask.form(&form).send().await.unwrap().status()
    };
    assert_eq!(post("", &login.password).await, StatusCode::BAD_REQUEST, "another browser");
    assert_eq!(post(&cookie, "guessed").await, StatusCode::UNAUTHORIZED);
    assert_eq!(post(&cookie, &login.password).await, StatusCode::SEE_OTHER);
    assert_eq!(post(&cookie, &login.password).await, StatusCode::BAD_REQUEST, "a second time");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pushed_request_counts_once_for_its_client() {
    let browser = Browser::new();
    let copy = browser.copy(&[FrontTrait::Public, FrontTrait::MustPush]).await;
    let other = browser.copy(&[FrontTrait::Public]).await;
    let client = copy.copy.client_id.as_str();
    let direct = browser.authorize(client, &[]).await;
    assert_eq!(direct.status(), StatusCode::BAD_REQUEST, "it has to push");
    let form = [
        ("client_id", client),
        ("response_type", "code"),
        ("redirect_uri", REDIRECT),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let (status, pushed) = browser.post("/oauth/par", &form).await;
    assert_eq!(status, StatusCode::CREATED, "{pushed}");
    let reference = pushed["request_uri"].as_str().unwrap();
    let open = async |client: &str| {
        let query = [("client_id", client), ("request_uri", reference)];
        let ask = browser.http.get(browser.url("/oauth/authorize")).query(&query);
        ask.send().await.unwrap().status()
    };
    assert_eq!(open(&other.copy.client_id).await, StatusCode::BAD_REQUEST, "another client");
    assert_eq!(open(client).await, StatusCode::FOUND);
    assert_eq!(open(client).await, StatusCode::BAD_REQUEST, "a second time");
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_register_themselves_where_they_are_invited() {
    let browser = Browser::new();
    let token = connector(&browser.world).invitation().await.unwrap().unwrap();
    let send = async |ask: reqwest::RequestBuilder, token: &str, body: Value| {
        let answer = ask.bearer_auth(token).json(&body).send().await.unwrap();
        (answer.status(), answer.json::<Value>().await.unwrap_or_default())
    };
    let register = || browser.http.post(browser.url("/oauth/register"));
    let right = json!({"redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none"});
    let (status, _) = send(register(), "guessed", right.clone()).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    for (name, value, error) in [
        ("software_statement", json!("e30.e30.x"), "unapproved_software_statement"),
        ("redirect_uris", json!(["http://app.acme.example/"]), "invalid_redirect_uri"),
        ("jwks_uri", json!("https://169.254.169.254/keys"), "invalid_client_metadata"),
    ] {
        let mut wrong = right.clone();
        wrong[name] = value;
        let (status, answer) = send(register(), &token, wrong).await;
        assert_eq!((status, &answer["error"]), (StatusCode::BAD_REQUEST, &json!(error)));
    }
    let (status, made) = send(register(), &token, right.clone()).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let own = made["registration_client_uri"].as_str().unwrap();
    let first = made["registration_access_token"].as_str().unwrap();
    let mut changed = right.clone();
    changed["client_id"] = made["client_id"].clone();
    let (status, made) = send(browser.http.put(own), first, changed).await;
    assert_eq!(status, StatusCode::OK, "{made}");
    let second = made["registration_access_token"].as_str().unwrap();
    let table = [(first, StatusCode::UNAUTHORIZED), (second, StatusCode::OK)];
    for (token, status) in table {
        let got = browser.http.get(own).bearer_auth(token).send().await.unwrap();
        assert_eq!(got.status(), status);
    }
    let gone = browser.http.delete(own).bearer_auth(second).send().await.unwrap();
    assert_eq!(gone.status(), StatusCode::NO_CONTENT);
    let got = browser.http.get(own).bearer_auth(second).send().await.unwrap();
    assert_eq!(got.status(), StatusCode::UNAUTHORIZED);
}
