//! The connector to Keycloak, on a real one: a realm for each test.
#![cfg(test)]

#[path = "platform_keycloak/stand.rs"]
mod stand;

use countersign_checks::platform::keycloak::{KeycloakSettings, Proof};
use countersign_checks::platform::{
    ClientChange, ClientCopy, ClientKind, CopyTerms, Platform as _, PlatformFault, Presence, Seed,
    TokenRequest,
};
use countersign_model::time::Timestamp;
use serde_json::json;
use stand::{
    KILLER, KILLS, PARTNER, PARTNER_SECRET, READER, READS, REDIRECT, Stand, account, cause,
    connector, names,
};

fn ages_ago() -> Timestamp {
    Timestamp::from_seconds(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn keycloak_tells_what_a_client_holds_by_whatever_way_it_got_it() {
    let stand = Stand::new("inventory").await;
    let realm = &stand.realm;
    for role in ["payroll-reader", "payroll-writer", "payroll-auditor"] {
        realm.post("roles", &json!({ "name": role })).await.unwrap();
    }
    // One role by itself, one that it brings with it, and one by a group.
    let role = async |name: &str| realm.get(&format!("roles/{name}")).await.unwrap();
    let (reader, writer, auditor) =
        (role("payroll-reader").await, role("payroll-writer").await, role("payroll-auditor").await);
    realm.post("roles/payroll-writer/composites", &json!([reader])).await.unwrap();
    realm.post("groups", &json!({ "name": "auditors" })).await.unwrap();
    let group = realm.get("groups").await.unwrap()[0]["id"].as_str().unwrap().to_owned();
    realm.post(&format!("groups/{group}/role-mappings/realm"), &json!([auditor])).await.unwrap();
    let id = realm.id_of(PARTNER).await.unwrap();
    let user = realm.get(&format!("clients/{id}/service-account-user")).await.unwrap();
    let user = user["id"].as_str().unwrap();
    realm.post(&format!("users/{user}/role-mappings/realm"), &json!([writer])).await.unwrap();
    realm.put(&format!("users/{user}/groups/{group}"), &json!({})).await.unwrap();
    assert_eq!(stand.status_of_partner(PARTNER_SECRET).await, 200);

    let row = stand.row(PARTNER).await.unwrap();
    assert_eq!(
        (row.name.as_deref(), row.integration.as_deref()),
        (Some("Helpdesk"), Some(PARTNER))
    );
    assert_eq!((row.owner.as_deref(), row.kind), (Some("lena"), ClientKind::ServiceAccount));
    assert!(row.created.is_some() && row.last_used.is_some() && !row.built_in, "{row:?}");
    let granted = &row.granted;
    assert_eq!(
        names(&granted.scopes),
        ["offline_access", "tickets:write"],
        "what is silent is left out"
    );
    assert_eq!(names(&granted.redirect_uris), [REDIRECT]);
    assert_eq!((granted.enabled, granted.auth.as_str()), (true, "client_secret_basic"));
    assert_eq!(granted.token_ttl_seconds, 600);
    assert_eq!(
        granted.refresh_ttl_seconds,
        100 * 365 * 24 * 3600,
        "an offline token ends with nothing"
    );
    let roles = names(granted.roles.as_ref().unwrap());
    for role in [
        "payroll-writer",
        "payroll-reader",
        "payroll-auditor",
        "group:/auditors",
        "account.view-profile",
    ] {
        assert!(roles.contains(&role), "{role}: {roles:?}");
    }
    let [secret] = &row.credentials[..] else { panic!("{:?}", row.credentials) };
    assert_eq!(
        (secret.id.as_str(), secret.created),
        ("secret", None),
        "its age is told only where Keycloak made it"
    );
    assert!(stand.row("account").await.unwrap().built_in);
    assert_eq!(stand.platform.registration(PARTNER).await.unwrap().as_ref(), Some(granted));
    assert_eq!(stand.platform.registration("nobody").await.unwrap(), None);
    let scopes = stand.platform.scopes().await.unwrap();
    assert!(scopes.contains_key("tickets:read") && !scopes.contains_key("basic"), "{scopes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keycloak_says_who_changed_a_client_and_when_it_asked_for_tokens() {
    let stand = Stand::new("logs").await;
    let realm = &stand.realm;
    let mallory = ("mallory", concat!("plainly-fake-", "mallory"));
    realm.account(mallory.0, mallory.1, &["manage-clients"]).await.unwrap();
    let settings = KeycloakSettings { killer: account(mallory), ..stand.settings.clone() };
    let start = stand.platform.admin_log(ages_ago()).await.unwrap().last().unwrap().time;
    let other = connector(&settings);
    other.redirects(PARTNER, Presence::Remove).await.unwrap();
    let copy = other.copy_client(PARTNER).await.unwrap();
    other.client(&copy.client_id, ClientChange::Delete).await.unwrap();
    let log = stand.platform.admin_log(start).await.unwrap();
    let seen: Vec<_> = log
        .iter()
        .filter(|it| it.actor == "service-account-mallory")
        .map(|it| (it.action.as_str(), it.client_id.as_deref().unwrap_or_default()))
        .collect();
    let of_copy = copy.client_id.as_str();
    assert_eq!(
        seen,
        [("UPDATE CLIENT", PARTNER), ("CREATE CLIENT", of_copy), ("DELETE CLIENT", of_copy)]
    );
    assert!(log.iter().all(|it| start <= it.time && it.ip.is_some()), "{log:?}");
    assert!(log.is_sorted_by_key(|it| it.time));

    assert_eq!(stand.status_of_partner(PARTNER_SECRET).await, 200);
    assert_eq!(stand.status_of_partner("plainly-fake").await, 401);
    let log = stand.platform.token_log(PARTNER, ages_ago()).await.unwrap();
    let lines: Vec<serde_json::Value> = log
        .split(|it| *it == b'\n')
        .filter(|it| !it.is_empty())
        .map(|it| serde_json::from_slice(it).unwrap())
        .collect();
    let kinds: Vec<_> = lines.iter().map(|it| it["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["CLIENT_LOGIN", "CLIENT_LOGIN_ERROR"]);
    let after = Timestamp::from_millis(lines[1]["time"].as_i64().unwrap() + 1);
    assert_eq!(stand.platform.token_log(PARTNER, after).await.unwrap(), b"");

    let off = json!({ "eventsEnabled": false, "adminEventsEnabled": false });
    realm.put("events/config", &off).await.unwrap();
    let tokens = stand.platform.token_log(PARTNER, ages_ago()).await.unwrap_err();
    assert!(tokens.is_unable() && cause(&tokens).contains("User events settings"), "{tokens:?}");
    let admin = stand.platform.admin_log(ages_ago()).await.unwrap_err();
    assert!(admin.is_unable() && cause(&admin).contains("Admin events settings"), "{admin:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keycloak_lets_a_copy_act_until_it_is_disabled_emptied_or_deleted() {
    let stand = Stand::new("copies").await;
    let copy = stand.platform.copy_client(PARTNER).await.unwrap();
    let row = stand.row(&copy.client_id).await.unwrap();
    assert_eq!(row.copy_of.as_deref(), Some(PARTNER));
    let original = stand.row(PARTNER).await.unwrap();
    assert_eq!(
        (&row.granted.scopes, &row.granted.roles),
        (&original.granted.scopes, &original.granted.roles)
    );
    assert_eq!(row.granted.auth, "private_key_jwt");
    assert_eq!(names(&row.granted.keys), [copy.public().key_id().as_str()]);

    let first = stand.token(&copy).await.unwrap();
    assert!(stand.platform.introspect(&first).await.unwrap());
    assert_eq!(stand.platform.refuses_as_disabled(&copy.client_id).await.unwrap(), None);
    stand.platform.client(&copy.client_id, ClientChange::Disable).await.unwrap();
    assert_eq!(stand.token(&copy).await, None);
    assert!(!stand.platform.introspect(&first).await.unwrap());
    let said = stand.platform.refuses_as_disabled(&copy.client_id).await.unwrap();
    assert_eq!(said.as_deref(), Some("client_disabled"));
    stand.platform.client(&copy.client_id, ClientChange::Enable).await.unwrap();
    assert!(stand.platform.introspect(&first).await.unwrap());

    // Refresh tokens outlive access tokens, and offline ones outlive sessions.
    let offline =
        TokenRequest { scope: Some("offline_access".to_owned()), ..TokenRequest::default() };
    let refresh = async |token: &str| {
        let request = TokenRequest {
            grant: Some("refresh_token".to_owned()),
            refresh_token: Some(token.to_owned()),
            ..TokenRequest::default()
        };
        stand.platform.request_token(&copy, &request).await.unwrap().error
    };
    let mut families = Vec::new();
    for request in [TokenRequest::default(), offline] {
        let answer = stand.platform.request_token(&copy, &request).await.unwrap();
        families.push(answer.refresh_token.unwrap());
    }
    for token in &families {
        assert_eq!(refresh(token).await, None);
    }
    let second = stand.token(&copy).await.unwrap();
    stand.platform.client(&copy.client_id, ClientChange::RevokeTokens).await.unwrap();
    for token in [&first, &second] {
        assert!(!stand.platform.introspect(token).await.unwrap());
    }
    for token in &families {
        assert_eq!(refresh(token).await.as_deref(), Some("invalid_grant"));
    }
    let third = stand.token(&copy).await.unwrap();
    assert!(stand.platform.introspect(&third).await.unwrap(), "the client itself is left alone");

    stand.platform.client(&copy.client_id, ClientChange::Delete).await.unwrap();
    assert_eq!(stand.token(&copy).await, None);
    assert!(!stand.platform.introspect(&third).await.unwrap());
    assert!(stand.row(&copy.client_id).await.is_none());
    let gone = stand.platform.client(&copy.client_id, ClientChange::Delete).await.unwrap_err();
    assert!(gone.is_unknown(), "{gone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keycloak_tells_of_no_token_that_is_not_meant_for_the_reader() {
    let stand = Stand::new("audience").await;
    let place = stand.platform.token_endpoint();
    let said =
        stand.realm.talk().token(&place, (PARTNER, PARTNER_SECRET), "tickets:write").await.unwrap();
    let token = said.yes().unwrap()["access_token"].as_str().unwrap().to_owned();
    let error = stand.platform.introspect(&token).await.unwrap_err();
    assert!(
        error.is_unable() && cause(&error).contains("mapper of the type `Audience`"),
        "{error:?}"
    );

    let short = CopyTerms { token_life_seconds: Some(7), ..CopyTerms::default() };
    let copy = stand.platform.copy_client_on(PARTNER, &short).await.unwrap();
    let answer = stand.platform.request_token(&copy, &TokenRequest::default()).await.unwrap();
    assert_eq!(answer.expires_in, Some(7));
    let few = CopyTerms { tokens_per_hour: Some(1), ..CopyTerms::default() };
    assert!(stand.platform.copy_client_on(PARTNER, &few).await.unwrap_err().is_unable());
}

#[tokio::test(flavor = "multi_thread")]
async fn keycloak_gives_back_the_redirects_that_were_taken_away() {
    let stand = Stand::new("redirects").await;
    let status = async || stand.platform.authorize(PARTNER, REDIRECT).await.unwrap().status;
    assert_eq!(status().await, 200);
    for _ in 0..2 {
        stand.platform.redirects(PARTNER, Presence::Remove).await.unwrap();
    }
    assert_eq!(status().await, 400);
    // What was there outlives the process that took it away.
    connector(&stand.settings).redirects(PARTNER, Presence::Restore).await.unwrap();
    assert_eq!(status().await, 200);
    stand.platform.redirects(PARTNER, Presence::Restore).await.unwrap();
    assert_eq!(stand.platform.registration(PARTNER).await.unwrap().unwrap().redirect_uris.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn keycloak_keeps_the_old_secret_alive_where_a_policy_says_so() {
    let stand = Stand::new("secrets").await;
    let at_once = stand.platform.renew_secret(PARTNER).await.unwrap();
    assert_eq!(at_once.old_until, None);
    assert_eq!(stand.status_of_partner(PARTNER_SECRET).await, 401);
    assert_eq!(stand.status_of_partner(&at_once.secret).await, 200);

    let executor = json!({ "executor": "secret-rotation", "configuration": {
        "expiration-period": 2_505_600, "rotated-expiration-period": 86_400,
        "remaining-rotation-period": 864_000,
    } });
    let profiles = json!({ "profiles": [{ "name": "rotating", "executors": [executor] }] });
    stand.realm.put("client-policies/profiles", &profiles).await.unwrap();
    let condition =
        json!({ "condition": "client-access-type", "configuration": { "type": ["confidential"] } });
    let policies = json!({ "policies": [{ "name": "rotating", "enabled": true,
        "conditions": [condition], "profiles": ["rotating"] }] });
    stand.realm.put("client-policies/policies", &policies).await.unwrap();
    let renewed = stand.platform.renew_secret(PARTNER).await.unwrap();
    assert!(renewed.old_until.is_some(), "{renewed:?}");
    assert_eq!(stand.status_of_partner(&at_once.secret).await, 200);
    assert_eq!(stand.status_of_partner(&renewed.secret).await, 200);
    let row = stand.row(PARTNER).await.unwrap();
    let ids: Vec<_> = row.credentials.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(ids, ["secret", "rotated-secret"]);
    assert!(
        row.credentials.iter().all(|it| it.created.is_some() && it.expires.is_some()),
        "{row:?}"
    );
    let accepted = stand.platform.accepted(&PARTNER.parse().unwrap()).await.unwrap();
    assert_eq!(accepted.secrets.len(), 2);
    for _ in 0..2 {
        stand.platform.end_old_secret(PARTNER).await.unwrap();
    }
    assert_eq!(stand.status_of_partner(&at_once.secret).await, 401);
    assert_eq!(stand.status_of_partner(&renewed.secret).await, 200);
    let keys = stand.platform.replace_keys(PARTNER, &json!({ "keys": [] })).await.unwrap_err();
    assert!(keys.is_unable() && cause(&keys).contains("Signed Jwt"), "{keys:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keycloak_forgets_a_key_that_was_replaced() {
    let stand = Stand::new("keys").await;
    let old = stand.platform.copy_client(PARTNER).await.unwrap();
    let new = ClientCopy::new(old.client_id.clone(), Seed::new([7; 32]));
    let keys = |all: &[&ClientCopy]| json!({ "keys": all.iter().map(|it| it.public().to_jwk()).collect::<Vec<_>>() });
    stand.platform.replace_keys(&old.client_id, &keys(&[&old, &new])).await.unwrap();
    assert!(stand.token(&old).await.is_some() && stand.token(&new).await.is_some(), "both overlap");
    stand.platform.replace_keys(&old.client_id, &keys(&[&new])).await.unwrap();
    assert!(stand.token(&new).await.is_some());
    assert_eq!(stand.token(&old).await, None);
    let secret = stand.platform.renew_secret(&old.client_id).await.unwrap_err();
    assert!(secret.is_unable() && cause(&secret).contains("replace its keys"), "{secret:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keycloak_wants_each_role_of_both_accounts_and_no_other() {
    let stand = Stand::new("roles").await;
    let realm = &stand.realm;
    let reads = async || {
        let platform = connector(&stand.settings);
        let listed = platform.inventory().await.map(drop);
        listed.and(platform.admin_log(ages_ago()).await.map(drop)).map_err(|it| cause(&it))
    };
    let kills = async || {
        let platform = connector(&stand.settings);
        let done = platform.redirects(PARTNER, Presence::Restore).await;
        done.and(platform.client(PARTNER, ClientChange::Enable).await).map_err(|it| cause(&it))
    };
    for role in READS {
        let fewer: Vec<&str> = READS.into_iter().filter(|it| *it != role).collect();
        realm.permit(READER.0, &fewer).await.unwrap();
        let said = reads().await.unwrap_err();
        assert!(said.contains(READER.0) && said.contains(&format!("`{role}`")), "{role}: {said}");
    }
    realm.permit(READER.0, &READS).await.unwrap();
    reads().await.unwrap();
    // Whoever may only read kills nothing, and whoever kills reads no events.
    realm.permit(KILLER.0, &READS).await.unwrap();
    let said = kills().await.unwrap_err();
    assert!(said.contains(KILLER.0) && said.contains("`manage-clients`"), "{said}");
    realm.permit(KILLER.0, &KILLS).await.unwrap();
    kills().await.unwrap();
    realm.permit(READER.0, &KILLS).await.unwrap();
    assert!(reads().await.unwrap_err().contains("`view-"));
}

#[tokio::test(flavor = "multi_thread")]
async fn keycloak_refuses_whoever_is_set_up_wrongly_and_the_message_says_what_to_do() {
    let stand = Stand::new("setup").await;
    let good = &stand.settings;
    let issuer = stand.platform.issuer().to_owned();
    let stale = KeycloakSettings {
        reader: account((READER.0, concat!("plainly-fake-", "stale"))),
        killer: account((KILLER.0, concat!("plainly-fake-", "stale"))),
        ..good.clone()
    };
    let realm = KeycloakSettings { url: format!("{issuer}x"), ..good.clone() };
    let untrusted = KeycloakSettings { ca: None, ..good.clone() };
    let mut said = Vec::new();
    for settings in [&stale, &realm, &untrusted] {
        let error = connector(settings).inventory().await.unwrap_err();
        said.push(cause(&error).replace(&issuer, "ISSUER"));
    }
    let kills = connector(&stale).client(PARTNER, ClientChange::Disable).await.unwrap_err();
    said.push(cause(&kills));
    insta::assert_snapshot!(said.join("\n"), @r"
    its connector is not set up: the account that reads (`countersign-reader`) is refused: `unauthorized_client`; its secret or key was changed or has ended, or it is disabled: put the present one into its file, and look at the client in the realm
    its connector is not set up: there is no realm at `ISSUERx`: look whether the end of `url` is the realm's name
    it cannot be reached: no trusted TLS session: invalid peer certificate: UnknownIssuer; if its certificate is of an authority of your own, name that in `ca`
    its connector is not set up: the account that kills (`countersign-killer`) is refused: `unauthorized_client`; its secret or key was changed or has ended, or it is disabled: put the present one into its file, and look at the client in the realm
    ");

    // A secret that was replaced while the connector runs is noticed when its token ends or is refused.
    let key = Seed::new([9; 32]);
    let id = stand.realm.id_of(READER.0).await.unwrap();
    let jwks = json!({ "keys": [key.key().public().to_jwk()] }).to_string();
    let part = json!({ "clientId": READER.0, "clientAuthenticatorType": "client-jwt",
        "attributes": { "use.jwks.string": "true", "jwks.string": jwks } });
    stand.realm.put(&format!("clients/{id}"), &part).await.unwrap();
    assert!(connector(good).inventory().await.is_err(), "its secret counts no more");
    let mut keyed = good.clone();
    keyed.reader.proof = Proof::Key(key);
    assert!(!connector(&keyed).inventory().await.unwrap().clients.is_empty());
    let unknown = stand.platform.client("nobody", ClientChange::Disable).await.unwrap_err();
    assert!(matches!(unknown.source, PlatformFault::Refused { status: 404, .. }), "{unknown:?}");
}
