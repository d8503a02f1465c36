//! Everything that a tenant holds, and who changed it.

use std::collections::BTreeSet;

use countersign_checks::platform::{ClientChange, CredentialKind, Platform as _, TokenRequest};
use countersign_model::enforce::snapshot::Lane;
use countersign_model::time::Timestamp;
use countersign_sandbox::{Kind, manifests, registration};
use countersign_seal::Digest;

use crate::helper::{connector, world};

const CLIENT: &str = "acme-helpdesk";

#[tokio::test(flavor = "multi_thread")]
async fn the_inventory_tells_owner_kind_credentials_and_last_use() {
    let (world, _) = world();
    let platform = connector(&world);
    let manifest = manifests::manifest(Kind::Acme).unwrap();
    let copy = platform.copy_client(CLIENT).await.unwrap();
    let request = TokenRequest::default();
    assert!(platform.request_token(&copy, &request).await.unwrap().access_token.is_some());
    let inventory = platform.inventory().await.unwrap();
    assert_eq!(inventory.unread, []);
    let one = |id: &str| inventory.clients.iter().find(|it| it.client_id == id).unwrap();
    let client = one(CLIENT);
    assert_eq!(client.integration.as_deref(), Some(CLIENT));
    assert_eq!(client.owner.as_ref(), Some(&manifest.owners.business));
    assert_eq!((client.copy_of.as_deref(), client.built_in), (None, false));
    let kinds: Vec<CredentialKind> = client.credentials.iter().map(|it| it.kind).collect();
    assert_eq!(kinds, [CredentialKind::JwksUri]);
    assert!(client.credentials[0].created.is_some());
    assert_eq!(client.last_used, None);
    let of_copy = one(&copy.client_id);
    assert_eq!(of_copy.copy_of.as_deref(), Some(CLIENT));
    assert!(of_copy.last_used.is_some());
    let held = platform.granted(&manifest).await.unwrap();
    assert_eq!(held.granted[CLIENT], client.granted, "both ways tell the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_behind_our_back_has_an_actor_and_a_second_secret_is_a_credential() {
    let (world, _) = world();
    let platform = connector(&world);
    let tenant = world.tenant(Lane::Trial);
    let token = tenant.administrator_token("dana").unwrap();
    let manifest = manifests::manifest(Kind::Acme).unwrap();
    let mut client = registration::clients(&manifest).remove(0);
    client.extras.secrets = [Digest::of(b"second")].into();
    let http = world.net().client(None).unwrap();
    let url = format!("{}/admin/clients/{CLIENT}", tenant.url());
    let put = http.put(&url).bearer_auth(&token).json(&client).send().await.unwrap();
    assert_eq!(put.status(), 204);
    platform.client(CLIENT, ClientChange::Disable).await.unwrap();
    let log = platform.admin_log(Timestamp::from_seconds(0)).await.unwrap();
    let shown = log.iter().map(|it| (&*it.actor, &*it.action, it.client_id.as_deref()));
    let shown: Vec<_> = shown.collect();
    assert_eq!(
        shown,
        [("dana", "register-client", Some(CLIENT)), ("killer", "disable-client", Some(CLIENT)),]
    );
    let later = log[0].time + countersign_model::time::Period::from_seconds(3600);
    assert_eq!(platform.admin_log(later).await.unwrap(), []);
    let held = platform.granted(&manifest).await.unwrap();
    let credentials = held.granted[CLIENT].credentials.clone().unwrap();
    let secrets: BTreeSet<_> = credentials.iter().filter(|it| it.starts_with("secret-")).collect();
    assert_eq!(secrets.len(), 1, "{credentials:?}");

    let nobody = http.put(&url).bearer_auth("wrong").json(&client).send().await.unwrap();
    assert_eq!(nobody.status(), 401);
}
