//! How a receiver is told its next key, as its manifest declares it.

use countersign_model::declare::manifest::{NextKey, WebhookKey};
use serde_json::json;

use crate::live::ask::Ask;
use crate::talk::Talk;

/// The call that tells a receiver of a key, and the same call for a shell, without any secret in it.
pub(super) fn tell(
    next: &NextKey,
    kind: WebhookKey,
    key: &str,
    shown: &str,
    talk: &Talk,
) -> Option<(Ask, String)> {
    let name = match kind {
        WebhookKey::Ed25519 => "public_key",
        WebhookKey::HmacSha256 => "secret",
    };
    let means = talk.means();
    let opens = means.as_ref().and_then(|it| it.secrets.get(&next.auth_ref));
    let ask = Ask::parse(&next.call)?;
    let made = |opens: Option<&str>, key: &str| {
        ask.clone().bearer(opens).json(json!({ (name): key }).to_string())
    };
    let repeat = format!(
        "{}  # $TOKEN: the secret that the server holds as `{}`",
        made(Some("$TOKEN"), shown).curl(),
        next.auth_ref
    );
    Some((made(opens, key), repeat))
}

/// What stands for the key in use, in a call for a shell.
pub(super) const KEY_IN_USE: &str = "$KEY_IN_USE";
