//! What is wrong with a sign-in, and how to repeat it by hand.

use countersign_model::declare::manifest::Callback;

/// The host that nobody may be sent to.
const OFF_SITE: &str = "offsite.example";

/// What is wrong with a sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// The answer names another server.
    OtherIssuer,
    /// The answer names no server, although the metadata promise it.
    NoIssuer,
    /// The answer has no state.
    NoState,
    /// The answer has a state that nobody made.
    MadeUpState,
    /// The answer has a state that was used before.
    UsedState,
    /// A browser with a sign-in of its own brings the state of another browser.
    StateOfAnotherBrowser,
    /// A browser that knows nothing brings the state of another browser.
    StateWithoutBrowser,
    /// The metadata name the issuer of another server.
    MetadataOfAnother,
    /// The metadata name nearly the right issuer.
    MetadataNearby,
    /// The sign-in is begun with a landing elsewhere.
    LandsAtStart(Landing),
    /// The answer is brought with a landing elsewhere.
    LandsAtCallback(Landing),
}

/// How a landing elsewhere is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Landing {
    Absolute,
    Slashes,
    Backslash,
    Prefix,
}

impl Landing {
    /// The landing, for an app on this host.
    pub(super) fn url(self, own: &str) -> String {
        match self {
            Self::Absolute => format!("https://{OFF_SITE}/landed"),
            Self::Slashes => format!("//{OFF_SITE}/landed"),
            Self::Backslash => format!("/\\{OFF_SITE}/landed"),
            Self::Prefix => format!("https://{own}.{OFF_SITE}/landed"),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Absolute => "absolute",
            Self::Slashes => "two-slashes",
            Self::Backslash => "backslash",
            Self::Prefix => "own-name-in-front",
        }
    }
}

impl Wrong {
    pub(super) fn name(self) -> String {
        match self {
            Self::OtherIssuer | Self::MetadataOfAnother => "issuer-of-another".to_owned(),
            Self::NoIssuer => "no-issuer".to_owned(),
            Self::NoState => "no-state".to_owned(),
            Self::MadeUpState => "made-up-state".to_owned(),
            Self::UsedState => "used-state".to_owned(),
            Self::StateOfAnotherBrowser => "state-of-another-browser".to_owned(),
            Self::StateWithoutBrowser => "browser-without-cookies".to_owned(),
            Self::MetadataNearby => "issuer-with-a-slash".to_owned(),
            Self::LandsAtStart(it) => format!("start-{}", it.word()),
            Self::LandsAtCallback(it) => format!("callback-{}", it.word()),
        }
    }

    /// How to repeat it by hand.
    pub(super) fn by_hand(self, callback: &Callback) -> String {
        let start = callback.start.as_deref().unwrap_or_default();
        let url = &callback.url;
        let (state, issuer) = match self {
            Self::NoState => ("", "&iss=$ISSUER"),
            Self::MadeUpState => ("&state=made-up", "&iss=$ISSUER"),
            Self::NoIssuer => ("&state=$STATE", ""),
            Self::OtherIssuer => ("&state=$STATE", "&iss=https://other.example"),
            _ => ("&state=$STATE", "&iss=$ISSUER"),
        };
        let twist = match self {
            Self::UsedState => " twice, each time with another code",
            Self::StateOfAnotherBrowser => " with the cookies of another sign-in (-b other.jar)",
            Self::StateWithoutBrowser => " without any cookie",
            Self::MetadataOfAnother | Self::MetadataNearby => {
                return format!(
                    "serve metadata at $ISSUER whose `issuer` is not exactly $ISSUER, then call `{start}` and look at where it redirects to"
                );
            }
            Self::LandsAtStart(it) | Self::LandsAtCallback(it) => {
                let elsewhere = it.url(&callback.url.host());
                return format!(
                    "sign in with `{start}`, with `return_to={elsewhere}` beside the issuer or beside the code at {url}, and look at the last `location`"
                );
            }
            _ => "",
        };
        format!(
            "curl -i -c jar '{}' # $ISSUER is a server of yours; $STATE stands in the location\ncurl -i -b jar '{url}?code=$CODE{state}{issuer}' #{twist} then look for a request at the token endpoint",
            start.trim_start_matches("GET ").replace("{issuer}", "$ISSUER")
        )
    }
}

/// Whether a host is the one that nobody may be sent to, or one below it.
pub(super) fn is_off_site(host: &str) -> bool {
    host == OFF_SITE || host.strip_suffix(OFF_SITE).is_some_and(|it| it.ends_with('.'))
}
