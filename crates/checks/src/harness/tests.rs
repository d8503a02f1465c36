use super::*;

fn inner(names: &[&str]) -> Inner {
    let inner = Inner::default();
    for name in names {
        let stand = Arc::new(Stand::new(|_: &Seen| Reply::status(204)));
        inner.stands.write().unwrap().insert((*name).to_owned(), stand);
    }
    inner
}

#[test]
fn a_path_leads_to_the_booth_that_it_names() {
    let inner = inner(&["b1"]);
    let rest = |path: &str| inner.find(path).map(|it| it.1);
    assert_eq!(rest("/b1/token").as_deref(), Some("/token"));
    assert_eq!(rest("/b1").as_deref(), Some("/"));
    assert_eq!(
        rest("/b1/.well-known/openid-configuration").as_deref(),
        Some("/.well-known/openid-configuration")
    );
    let known = "/.well-known/oauth-authorization-server";
    assert_eq!(rest(&format!("{known}/b1")).as_deref(), Some(known));
    assert_eq!(rest("/other/token"), None);
    assert_eq!(rest(""), None);
    assert_eq!(rest("/.well-known/x"), None);
}

#[tokio::test]
async fn a_harness_waits_for_whoever_ends_at_its_port() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap();
    let url = "https://probe.example.com".to_owned();
    let harness = Harness::listen(url, address, Certificates::default()).unwrap();
    drop(other);
    let heard = async {
        while tokio::net::TcpStream::connect(address).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), heard).await.unwrap();
    drop(harness);
}
