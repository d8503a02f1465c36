//! The endpoints of the realm: tokens of copies, introspection, and the front channel.

use std::collections::BTreeMap;

use serde_json::Value;
use url::Url;

use super::KeycloakPlatform;
use super::account::{Who, claims};
use super::change::shortly_before;
use super::client::Way;
use super::fault::{account, parsed, refused, unknown, unreadable, word};
use crate::live::ask::Ask;
use crate::live::entropy;
use crate::live::http::Raw;
use crate::platform::assertion::token_form;
use crate::platform::{Answer, ClientCopy, PlatformFault, Seed, TokenAnswer, TokenRequest};

type Done<T> = Result<T, PlatformFault>;

impl KeycloakPlatform {
    pub(super) async fn token(
        &self,
        copy: &ClientCopy,
        request: &TokenRequest,
    ) -> Done<TokenAnswer> {
        let form =
            token_form(copy, request, &self.wire.endpoint("token"), self.wire.clock().now())?;
        answered(&self.wire.form("token", &form, request.from).await?)
    }

    /// Keycloak calls a token inactive to everybody whom it is not meant for: that would prove a death
    /// that did not happen.
    pub(super) async fn is_active(&self, token: &str) -> Done<bool> {
        let reader = self.reader_id();
        let audience = claims(token).map(|it| it["aud"].clone());
        let is_meant = match &audience {
            Some(Value::Array(all)) => all.iter().any(|it| it == reader),
            Some(it) => it == reader,
            // An opaque one says nothing of itself.
            None => true,
        };
        if !is_meant {
            return Err(PlatformFault::Lacking(format!(
                "it tells of a token only to clients in its audience: add a mapper of the type \
                 `Audience` for `{reader}` to the client, or to a scope that it has by default"
            )));
        }
        let raw = self.wire.own_form("token/introspect", Who::Reader, &[("token", token)]).await?;
        let answer = account(&raw, Who::Reader, reader, self.wire.issuer())?;
        answer["active"].as_bool().ok_or_else(|| unreadable("it has no `active`"))
    }

    /// Asks for a token with a credential that is none, and reads in the realm's own record why it was
    /// refused: a client that is disabled is refused before its credential is looked at.
    pub(super) async fn refusal_of(&self, client: &str) -> Done<Option<String>> {
        let known = self.find(client).await?.ok_or_else(unknown)?;
        let no_chance = || PlatformFault::Settings("this machine gives no randomness".to_owned());
        let chance: [u8; 32] = entropy::random().ok_or_else(no_chance)?;
        let stranger = ClientCopy::new(client.to_owned(), Seed::new(chance));
        let form = match known.way() {
            Way::Key => {
                let place = self.wire.endpoint("token");
                token_form(&stranger, &TokenRequest::default(), &place, self.wire.clock().now())?
            }
            Way::Secret | Way::Nothing => BTreeMap::from(
                [
                    ("grant_type", "client_credentials".to_owned()),
                    ("client_id", client.to_owned()),
                    ("client_secret", stranger.public().key_id().to_string()),
                ]
                .map(|(name, it)| (name.to_owned(), it)),
            ),
            Way::Certificate | Way::Federated | Way::Other | Way::SecretKey => return Ok(None),
        };
        let ahead = self.wire.ahead_seconds(Who::Reader).await?;
        let since = shortly_before(self.wire.clock().now(), ahead);
        let answer = answered(&self.wire.form("token", &form, None).await?)?;
        if answer.access_token.is_some() {
            return Ok(None);
        }
        let errors = self.errors_since(client, since).await?;
        Ok(errors.into_iter().find(|it| it == "client_disabled"))
    }

    /// A page where somebody signs in is a yes; an error page is a no.
    pub(super) async fn authorization(&self, client: &str, redirect: &str) -> Done<Answer> {
        let mut url =
            Url::parse(&self.wire.endpoint("auth")).map_err(|it| unreadable(it.to_string()))?;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", client)
            .append_pair("redirect_uri", redirect)
            .append_pair("scope", "openid");
        let raw = self.wire.send(Ask::get(url), None).await?;
        if 500 <= raw.status {
            return Err(refused(&raw));
        }
        Ok(Answer { status: raw.status, reason: None })
    }
}

/// What a token endpoint answered (RFC 6749, sections 5.1 and 5.2).
fn answered(raw: &Raw) -> Done<TokenAnswer> {
    if 500 <= raw.status {
        return Err(refused(raw));
    }
    let value: Value = parsed(raw)?;
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let answer = TokenAnswer {
        status: raw.status,
        access_token: text("access_token").map(str::to_owned),
        refresh_token: text("refresh_token").map(str::to_owned),
        expires_in: value.get("expires_in").and_then(Value::as_u64),
        scope: text("scope").map(str::to_owned),
        error: text("error").map(word),
        // Keycloak describes its errors in prose: a reason is only what a gate in front of it says.
        reason: text("code").map(word),
    };
    let is_success = (200..300).contains(&raw.status);
    match (is_success, &answer.access_token, &answer.error) {
        (true, Some(_), None) | (false, None, Some(_)) => Ok(answer),
        _ => Err(unreadable(format!("HTTP {} without a token or an error", raw.status))),
    }
}
