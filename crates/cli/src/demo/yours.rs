//! Your turn: a stage that stays up until Enter is pressed, with five things to try.

use std::io::BufRead as _;
use std::path::Path;
use std::sync::Arc;

use countersign_sandbox::Kind;

use super::chapter::Chapter;
use super::play::{cast, pins, ready, stage_failed};
use super::report::Life;
use super::story::Story;
use crate::failure::Failure;
use crate::stage::{self, Options, Running};
use crate::ui::Ui;

/// Starts a stage with two certified integrations and two wrong ones, and waits.
pub(crate) async fn yours(ui: Ui, folder: &Path) -> Result<(), Failure> {
    ui.say("preparing a stage for you: two integrations certified, two refused …");
    let running = stage::start(folder, Options::default()).await.map_err(|it| stage_failed(&it))?;
    let prepared = prepare(&running).await;
    if prepared.is_ok() {
        for line in lines(&running, folder) {
            ui.line(line);
        }
        // The end of the input is an end too.
        let enter = || std::io::stdin().lock().read_line(&mut String::new());
        drop(tokio::task::spawn_blocking(enter).await);
    }
    let ended = running.shutdown().await.map_err(|it| stage_failed(&it));
    prepared?;
    ended.map(drop)
}

async fn prepare(running: &Running) -> Result<(), Failure> {
    let cast = Arc::new(cast(&running.stage)?);
    let pins = Arc::new(pins(&running.stage)?);
    ready(&running.sandbox).await?;
    running.sandbox.busy(true);
    let story = |kind| {
        let (cast, pins) = (Arc::clone(&cast), Arc::clone(&pins));
        Story { cast, sandbox: Arc::clone(&running.sandbox), kind, pins }
    };
    let certify = async |kind: Kind| {
        let (mut life, mut chapter) = (Life::default(), Chapter::new(kind.slug()));
        story(kind).submit_right_and_certify(&mut life, &mut chapter).await
    };
    let (acme, payrun) = tokio::join!(certify(Kind::Acme), certify(Kind::Payrun));
    acme?;
    payrun?;
    story(Kind::Northwind).begin_wrong().await?;
    story(Kind::Shiftly).begin_wrong().await
}

/// What to type, and as whom.
fn lines(running: &Running, folder: &Path) -> Vec<String> {
    let folder = folder.display();
    let person = |name: &str| format!("export COUNTERSIGN_TOKEN_FILE={folder}/tokens/{name}");
    vec![
        "Your turn. In another terminal:".to_owned(),
        String::new(),
        format!("  export COUNTERSIGN_SERVER={}", running.stage.server()),
        format!("  {}", person("olga")),
        String::new(),
        "  1  countersign status                      two certified, two not".to_owned(),
        "  2  countersign check northwind-resell      what is wrong with the reseller".to_owned(),
        "  3  countersign explain loses_no_log_line   why that is asked".to_owned(),
        format!("  4  {}   as the responder", person("rita")),
        "     countersign revoke acme-helpdesk -r \"trying it\"".to_owned(),
        format!(
            "  5  countersign sandbox business acme-helpdesk --folder {folder} --lane certified"
        ),
        "                                             it works no more".to_owned(),
        String::new(),
        "Press Enter here to end all of it.".to_owned(),
    ]
}
