//! The list of what the sandbox's authority has revoked, where its certificates say that it is.

use std::net::{SocketAddr, TcpListener};

use axum::Router;
use axum::http::header;
use axum::routing::get;
use tokio::task::JoinHandle;

use crate::StartError;

/// The host at which the list is published.
pub(crate) const HOST: &str = "ca.example.com";
const PATH: &str = "/revoked.crl";

/// The address of the list, as certificates name it.
pub(crate) fn url() -> String {
    format!("http://{HOST}{PATH}")
}

/// A list that is published. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Published(JoinHandle<()>);

impl Published {
    /// Publishes a list (DER) here, without TLS: whoever reads it verifies its signature.
    pub(crate) fn start(listener: TcpListener, list: Vec<u8>) -> Result<Self, StartError> {
        listener.set_nonblocking(true).map_err(StartError::Listen)?;
        let listener = tokio::net::TcpListener::from_std(listener).map_err(StartError::Listen)?;
        let answer = move || {
            let list = list.clone();
            async move { ([(header::CONTENT_TYPE, "application/pkix-crl")], list) }
        };
        let router: Router = Router::new().route(PATH, get(answer));
        let task = tokio::spawn(async move {
            let service = router.into_make_service_with_connect_info::<SocketAddr>();
            if let Err(error) = axum::serve(listener, service).await {
                tracing::warn!(%error, "the list of what was revoked is published no more");
            }
        });
        Ok(Self(task))
    }
}

impl Drop for Published {
    fn drop(&mut self) {
        self.0.abort();
    }
}
