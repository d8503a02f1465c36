//! `server run`: serves until told to stop.

use countersign_server::config::Config;

use super::Context;
use crate::args::{LogFormat, ServeArgs};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::signal::Ended;
use crate::stage::serve;

/// Serves over the world that the settings name.
pub(crate) async fn run(context: Context<'_>, args: &ServeArgs) -> Outcome {
    trace(args.log);
    let unusable = |it: &dyn std::error::Error| {
        Failure::new(Exit::Usage, "the settings cannot be used").because(it)
    };
    let config = Config::load(&args.config).map_err(|it| unusable(&it))?;
    let mut ended = Ended::listen()?;
    let could_not = |it: &dyn std::error::Error| {
        Failure::new(Exit::Broken, "the server could not start").because(it)
    };
    let running = serve(config).await.map_err(|it| could_not(&it))?;
    context.ui.line(
        serde_json::json!({
            "schema": "countersign.ready/1", "ready": true, "server": format!("http://{}", running.addr),
        })
        .to_string(),
    );
    context.ui.say(format!("listening on http://{}   Ctrl-C ends it", running.addr));
    ended.wait().await;
    context.ui.say("ending: open requests are finished first");
    running.shutdown().await;
    Ok(Exit::Yes)
}

/// Sends the log to stderr; RUST_LOG chooses how much.
pub(crate) fn trace(format: LogFormat) {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second call changes nothing: the first one's choice stays.
    let _installed_before = match format {
        LogFormat::Json => log.json().try_init(),
        LogFormat::Text => log.with_ansi(false).try_init(),
    };
}
