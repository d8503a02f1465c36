//! The server of a stage; and server and sandbox in one process.

use std::path::Path;
use std::sync::Arc;

use countersign_server::clock::Clock;
use countersign_server::config::Config;
use countersign_server::live::LiveWorld;

use super::{Options, Sandbox, Stage, StageError, prepare};

/// Starts a server over the world that its settings name.
pub(crate) async fn serve(config: Config) -> Result<countersign_server::Running, StageError> {
    let clock = Clock::System;
    let world = Arc::new(LiveWorld::from_config(&config, clock.clone())?);
    Ok(countersign_server::run(config, world, clock).await?)
}

/// Sandbox and people, and the server where it runs in this process too.
#[derive(Debug)]
pub(crate) struct Running {
    /// The folder, with its people.
    pub(crate) stage: Stage,
    /// Platform, partners, gates.
    pub(crate) sandbox: Arc<Sandbox>,
    /// The server; none where it is another process.
    pub(crate) server: Option<countersign_server::Running>,
}

/// Prepares a folder and starts everything on it.
pub(crate) async fn start(folder: &Path, options: Options) -> Result<Running, StageError> {
    let mut running = start_without_server(folder, options)?;
    running.server = Some(serve(Config::load(&running.stage.config_file)?).await?);
    Ok(running)
}

/// Prepares a folder and starts everything on it but the server.
pub(crate) fn start_without_server(folder: &Path, options: Options) -> Result<Running, StageError> {
    let stage = prepare(folder, options)?;
    let sandbox = Arc::new(Sandbox::start(&stage)?);
    Ok(Running { stage, sandbox, server: None })
}

impl Running {
    /// Ends everything; the folder stays, without what the sandbox wrote there.
    pub(crate) async fn shutdown(self) -> Result<Stage, StageError> {
        if let Some(server) = self.server {
            server.shutdown().await;
        }
        let sandbox = Arc::into_inner(self.sandbox);
        let sandbox =
            sandbox.ok_or_else(|| StageError::Shape("the sandbox is in use".to_owned()))?;
        sandbox.stop(&self.stage).await?;
        Ok(self.stage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_stage_starts_and_ends_in_one_process() {
        let folder = tempfile::tempdir().unwrap();
        let running = start(&folder.path().join("stage"), Options::default()).await.unwrap();
        let config = Config::load(&running.stage.config_file).unwrap();
        let listen = config.harness.unwrap().listen;
        assert!(tokio::net::TcpStream::connect(listen).await.is_ok(), "the harness answers");
        let gates: Vec<_> = running.sandbox.gates.iter().map(|it| Arc::clone(&it.1)).collect();
        let heard = async {
            while gates.iter().any(|it| it.epoch() == 0) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(10), heard).await.unwrap();
        drop(gates);
        let stage = running.shutdown().await.unwrap();
        let config = Config::load(&stage.config_file).unwrap();
        assert!(config.harness.is_none() && config.platform.test.is_none());
        assert!(config.talk.resolve.is_empty());
        stage.remove().unwrap();
        assert!(!folder.path().join("stage").exists());
    }
}
