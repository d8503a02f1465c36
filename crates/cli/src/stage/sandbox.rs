//! Platform, partners and the two gates in front of them, which follow the stage's server.

use std::sync::Arc;
use std::time::Duration;

use countersign_gate::follow::{FollowConfig, Token, follow};
use countersign_gate::{Gate, Pins};
use countersign_model::declare::manifest::Environment;
use countersign_model::enforce::snapshot::Lane;
use countersign_sandbox::{Ask, Certifier, Kind, World};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{Stage, StageError, certifier, settings};

/// How often a partner works whose work is not observed for long.
const SELDOM: Duration = Duration::from_millis(500);
/// How often a gate asks its server; the time from a withdrawal to the last denial rests on it.
const FOLLOW_EVERY: Duration = Duration::from_millis(50);

/// What runs beside the server.
#[derive(Debug)]
pub(crate) struct Sandbox {
    /// Both tenants and the four partners.
    pub(crate) world: World,
    /// The gate in front of each tenant, by its name at the server.
    pub(crate) gates: Vec<(&'static str, Arc<Gate>)>,
    stop: watch::Sender<bool>,
    followers: JoinSet<()>,
}

impl Sandbox {
    /// Starts everything, and writes into the server's settings where it is.
    ///
    /// The gates pin the keys and people of the folder. Nothing that a server says later changes that.
    pub(crate) fn start(stage: &Stage) -> Result<Self, StageError> {
        let world = World::start()?;
        settings::connect(stage, &world)?;
        let certifier: Arc<dyn Certifier> = Arc::new(certifier::Server::of(stage)?);
        for kind in Kind::ALL {
            world.partner(kind).prove_to(Arc::clone(&certifier));
        }
        let (stop, stopped) = watch::channel(false);
        let mut followers = JoinSet::new();
        let mut gates = Vec::new();
        let client = reqwest::Client::builder().no_proxy().build().map_err(StageError::Client)?;
        let server = reqwest::Url::parse(&stage.server())
            .map_err(|it| StageError::Shape(format!("the server's address is none: {it}")))?;
        for seat in &stage.gates {
            let gate = Arc::new(Gate::new(pins(stage, seat.lane)));
            world.put_gate(seat.lane, Arc::clone(&gate) as Arc<dyn Ask>);
            let config = FollowConfig {
                server: server.clone(),
                gate: seat.name.to_owned(),
                token: Token::new(seat.token.clone()),
                every: FOLLOW_EVERY,
                client: client.clone(),
            };
            let mut stopped = stopped.clone();
            let ended = async move { drop(stopped.wait_for(|it| *it).await) };
            followers.spawn(follow(Arc::clone(&gate), config, ended));
            gates.push((seat.name, gate));
        }
        Ok(Self { world, gates, stop, followers })
    }

    /// Lets the partners go on working, or rest.
    pub(crate) fn busy(&self, yes: bool) {
        // What went on before is ended first, so that saying it twice is saying it once.
        self.world.rest();
        if yes {
            self.world.keep_busy();
            // Whose use is judged needs some.
            for kind in [Kind::Acme, Kind::Shiftly] {
                self.world.partner(kind).keep_busy(Lane::Trial, SELDOM);
            }
        }
    }

    /// Ends all of it; the settings no longer name it.
    pub(crate) async fn stop(mut self, stage: &Stage) -> Result<(), StageError> {
        self.world.rest();
        self.stop.send_replace(true);
        while self.followers.join_next().await.is_some() {}
        drop(self.world);
        settings::disconnect(stage)
    }
}

fn pins(stage: &Stage, lane: Lane) -> Pins {
    Pins {
        lane,
        environment: Environment::Sandbox,
        snapshot_key: stage.keys.snapshot.public(),
        certificate_key: stage.keys.certificate.public(),
        issuer: stage.issuer.clone(),
        approvers: stage.approvers.clone(),
    }
}
