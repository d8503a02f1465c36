//! What only DNS itself can be asked: TXT records, and the addresses that one name server tells.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData};

/// How long one question may take as a whole.
const QUESTION_MAX: Duration = Duration::from_secs(4);
/// How many records of a name are read.
const RECORDS_MAX: usize = 64;

/// Asks the name servers of this machine, or one of an operator's choice.
#[derive(Clone, Default)]
pub struct Dns {
    server: Option<SocketAddr>,
}

impl fmt::Debug for Dns {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Dns({:?})", self.server)
    }
}

impl Dns {
    /// `server` is for tests alone.
    pub fn new(server: Option<SocketAddr>) -> Self {
        Self { server }
    }

    /// The TXT records of a name, one a line; why there are none, in words.
    pub async fn txt(&self, name: &str) -> Result<String, String> {
        let resolver = self.resolver()?;
        // From the root, so that no search list adds anything to it.
        let name = Name::from_ascii(format!("{name}."));
        let name = name.map_err(|_| "not a name that DNS can hold".to_owned())?;
        let asked = tokio::time::timeout(QUESTION_MAX, resolver.txt_lookup(name)).await;
        let found = match asked {
            Err(_) => return Err("no answer in time".to_owned()),
            Ok(Err(it)) if it.is_no_records_found() => return Err("no such record".to_owned()),
            Ok(Err(it)) => return Err(it.to_string()),
            Ok(Ok(it)) => it,
        };
        let texts = found.answers().iter().take(RECORDS_MAX).filter_map(|it| match &it.data {
            RData::TXT(it) => Some(String::from_utf8_lossy(&it.txt_data.concat()).into_owned()),
            _ => None,
        });
        Ok(texts.collect::<Vec<_>>().join("\n"))
    }

    /// Whether an operator chose a name server.
    pub fn is_chosen(&self) -> bool {
        self.server.is_some()
    }

    /// The addresses of a name; why there are none, in words.
    pub async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, String> {
        let resolver = self.resolver()?;
        let asked = tokio::time::timeout(QUESTION_MAX, resolver.lookup_ip(format!("{name}.")));
        match asked.await {
            Err(_) => Err("no answer in time".to_owned()),
            Ok(Err(it)) => Err(it.to_string()),
            Ok(Ok(it)) => Ok(it.iter().take(RECORDS_MAX).collect()),
        }
    }

    fn resolver(&self) -> Result<TokioResolver, String> {
        let builder = match self.server {
            Some(address) => {
                let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
                for connection in &mut connections {
                    connection.port = address.port();
                }
                let server = NameServerConfig::new(address.ip(), true, connections);
                let config = ResolverConfig::from_name_servers(vec![server]);
                TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            }
            None => TokioResolver::builder_tokio().map_err(|it| it.to_string())?,
        };
        builder.build().map_err(|it| it.to_string())
    }
}
