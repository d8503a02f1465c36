//! Ways in which a partner can be wrong. Each is one; a right partner has none.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};

use serde::{Deserialize, Serialize};

use super::access::AccessFault;
use super::front_fault::FrontFault;
use super::jwt_fault::JwtFault;
use super::tls_fault::TlsFault;
use super::{ClientFault, HookFault, SenderFault};
use crate::OauthFault;
use crate::role::SetFault;

/// One way to be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Its receiver takes a message whose time lies in the future.
    AcceptsFutureTimestamp,
    /// Its receiver takes a message whose time has long passed.
    AcceptsStaleTimestamp,
    /// Its receiver verifies the body as it would write it itself, not as it came.
    AcceptsTamperedBody,
    /// Its receiver takes a message without a signature.
    AcceptsUnsignedWebhook,
    /// Its receiver takes a well-formed signature of any key, whatever it covers.
    AcceptsWrongKey,
    /// Everything is answered with 500.
    AllErrors,
    /// Everything is answered with 200 and nothing is done.
    AllSuccess,
    /// Its receiver acts again on a message that it has seen.
    AppliesReplayTwice,
    /// Every answer breaks off.
    ClosesHalfWay,
    /// A relay inside the platform, which no list shows, delivers to the same address.
    DeliversAfterDisable,
    /// Nobody listens.
    Down,
    /// What happens while its subscription is disabled is delivered when it is enabled again.
    FlushesAfterEnable,
    /// The platform grants it whatever scope it asks for.
    GrantsAnyScope,
    /// No answer ever comes.
    Hangs,
    /// The platform lets its tokens live on when they are revoked.
    KeepsRevokedTokens,
    /// The key that it signs with now was committed to its source.
    LiveKeyInSource,
    /// Its own log lacks lines.
    LogGap,
    /// Its own log tells of tokens, and not of everything that was done with them.
    LogLacksActions,
    /// The platform does not write down some of its token requests.
    LosesTokenRequests,
    /// Some of its token requests use another grant than the declared one.
    OffUseRequests,
    /// It confirms the end of a tenant, and keeps it.
    OffboardingDoesNothing,
    /// The old key stays published and in use after a rotation.
    OldKeyStaysAlive,
    /// It was granted a scope over everything that it did not declare.
    OverBroadScope,
    /// Its tokens live longer than declared.
    OverlongTokens,
    /// A rotation publishes the old key under a new name.
    RenamesOldKey,
    /// A rotation waits for an operator.
    RotationNeedsAPerson,
    /// A secret was committed to its source once, and removed later.
    SecretInOldCommit,
    /// Its own webhooks bear no signature.
    SendsUnsignedWebhooks,
    /// No alert is wired for its client.
    SilentMisuse,
    /// Its receiver does not hold the time of a message against the signature.
    TimestampNotSigned,
    /// Its tokens go on working when its client is disabled and its tokens are revoked.
    TokensOutliveDisable,
    /// Some of its token requests name nobody.
    UnattributedRequests,
    /// The front channel of the platform's authorization server is wrong about it.
    #[serde(untagged)]
    Front(FrontFault),
    /// An authorization server is wrong about its client.
    #[serde(untagged)]
    Oauth(OauthFault),
    /// Wrong in how it receives or sends webhooks.
    #[serde(untagged)]
    Hook(HookFault),
    /// Its own client is wrong when users sign in.
    #[serde(untagged)]
    Client(ClientFault),
    /// Its own sender of webhooks is wrong.
    #[serde(untagged)]
    Sender(SenderFault),
    /// What is wrong with its resource server.
    #[serde(untagged)]
    Jwt(JwtFault),
    /// The platform is wrong about what it may reach.
    #[serde(untagged)]
    Access(AccessFault),
    /// A fault of Meridian's receiver of security events.
    #[serde(untagged)]
    Set(SetFault),
    /// Its TLS is wrong, or it serves something without.
    #[serde(untagged)]
    Tls(TlsFault),
}

/// Which faults are switched on now.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults(Arc<RwLock<BTreeSet<Fault>>>);

impl Faults {
    pub(crate) fn set(&self, faults: BTreeSet<Fault>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = faults;
    }

    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains(&fault)
    }

    pub(crate) fn all(&self) -> BTreeSet<Fault> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
