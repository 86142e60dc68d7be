//! The certificates of a listener and of its clients.

use bowline::{
    ClientTls, ClientTlsBuilder, Connector, Error, ServerCertificates, ServerTls, TlsError,
    WebSocket,
    server::{
        Arrival, ConnectionGroup, FilteredRequest, Filters, GroupOptions, GroupTable,
        GroupTableLimits, Listener, ListenerConfig, Registry,
        admission::{Admission, Verdict},
        auth::{Authenticator, Credentials, Identity},
        rules::{RuleSet, Rules},
    },
};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};

use crate::{
    dial_server,
    ends::soon,
    front::{Front, Tenant, told},
};

const RULES: &str = "allow /*\nroute /* all websocket";

async fn connect(front: &Front, tls: ClientTls) -> Result<WebSocket, Error> {
    let url = front.url("/").replacen("ws", "wss", 1);
    soon(Connector::default().with_tls(tls).connect(&url)).await
}

fn certificates(identity: &dial_server::Identity) -> ServerCertificates {
    let (certificate, key) = (identity.certificate.as_bytes(), identity.key.as_bytes());
    ServerCertificates::from_pem(certificate, key).unwrap()
}

#[tokio::test]
async fn each_name_gets_its_certificate_and_they_are_replaced_while_running() {
    let [one, two, new] = [
        &["one.example", "127.0.0.1"][..],
        &["two.example", "*.two.example"],
        &["two.example"],
    ]
    .map(dial_server::Identity::for_names);
    let both = certificates(&one)
        .and_pem(two.certificate.as_bytes(), two.key.as_bytes())
        .unwrap();
    let front = Front::start(RULES, |config| {
        config.tls = Some(ServerTls::builder(&both).build().unwrap());
    })
    .await;
    // Each of these clients trusts one certificate only, and asks for one name.
    let client = |trusted: &dial_server::Identity, name: &str| {
        let builder = trusted.client_builder().server_name(name);
        builder.unwrap().build().unwrap()
    };
    let mut open = connect(&front, client(&two, "two.example")).await.unwrap();
    for (trusted, name, is_served) in [
        (&one, "one.example", true),
        (&one, "127.0.0.1", true),
        (&two, "sub.two.example", true),
        (&two, "one.example", false),
        (&one, "two.example", false),
        (&one, "three.example", false),
    ] {
        let served = connect(&front, client(trusted, name)).await;
        assert_eq!(served.is_ok(), is_served, "{name}: {served:?}");
    }
    both.replace(&certificates(&new));
    let served = connect(&front, client(&new, "two.example")).await;
    assert!(served.is_ok(), "{served:?}");
    let served = connect(&front, client(&two, "two.example")).await;
    assert!(matches!(served, Err(Error::Tls(TlsError::Handshake(_)))));
    told(&mut open).await;
    open.send("still here").await.unwrap();
    assert_eq!(told(&mut open).await, "still here");
}

/// An authority for clients.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, "Fleet authority");
        let pem = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        Self { pem, issuer }
    }

    /// Presents a certificate for a client of this name.
    fn present(&self, builder: ClientTlsBuilder, name: &str) -> ClientTls {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::OrganizationName, "Harbour");
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let (chain, key) = (certificate.pem(), key.serialize_pem());
        let builder = builder.client_certificate_pem(chain.as_bytes(), key.as_bytes());
        builder.unwrap().build().unwrap()
    }
}

fn by_certificate(credentials: &Credentials) -> Option<Identity> {
    let Credentials::Certificate(certificate) = credentials else {
        return None;
    };
    Some(Identity::new(certificate.common_name()?))
}

#[tokio::test]
async fn a_client_certificate_may_be_asked_for_or_required_and_names_the_user() {
    let server = dial_server::Identity::for_names(&["127.0.0.1"]);
    let (fleet, strangers) = (Authority::new(), Authority::new());
    let folder = tempfile::tempdir().unwrap();
    let roots = folder.path().join("roots.pem");
    std::fs::write(&roots, &fleet.pem).unwrap();
    let builder = || ServerTls::builder(&certificates(&server));
    for (tls, is_required) in [
        (builder().ask_clients_pem(fleet.pem.as_bytes()), false),
        (builder().ask_clients_file(&roots), false),
        (builder().require_clients_pem(fleet.pem.as_bytes()), true),
        (builder().require_clients_file(&roots), true),
    ] {
        let front = Front::start(RULES, |config| {
            config.tls = Some(tls.unwrap().build().unwrap());
            config.authenticator = Some(Authenticator::new(by_certificate));
        })
        .await;
        let buoy = fleet.present(server.client_builder(), "buoy 7");
        let mut buoy = connect(&front, buoy).await.unwrap();
        assert_eq!(
            soon(told(&mut buoy)).await,
            "user buoy 7, certificate buoy 7, tenant none"
        );
        let nobody = connect(&front, server.client()).await;
        if is_required {
            assert!(nobody.is_err());
        } else {
            assert_eq!(
                soon(told(&mut nobody.unwrap())).await,
                "user nobody, certificate none, tenant none"
            );
        }
        let stranger = strangers.present(server.client_builder(), "buoy 7");
        assert!(connect(&front, stranger).await.is_err());
    }
    let broken = builder().ask_clients_pem(b"no certificate").unwrap_err();
    assert!(matches!(broken, TlsError::Pem { .. }), "{broken}");
}

#[tokio::test]
async fn certificate_and_values_go_with_a_connection_of_a_group() {
    let server = dial_server::Identity::for_names(&["127.0.0.1"]);
    let fleet = Authority::new();
    let tls = ServerTls::builder(&certificates(&server)).require_clients_pem(fleet.pem.as_bytes());
    let rules = Rules::new(RuleSet::parse(RULES).unwrap());
    let mut config = ListenerConfig::new("fleet".parse().unwrap(), rules, Admission::default());
    config.tls = Some(tls.unwrap().build().unwrap());
    config.filters = Filters::default().with_request(|request: &mut FilteredRequest<'_>| {
        assert!(request.certificate.is_some());
        request.values.insert(Tenant("south"));
        Verdict::Admit
    });
    let registry = Registry::new();
    let groups = GroupTable::new(registry.clone(), GroupTableLimits::default());
    let group = groups.create("buoys", GroupOptions::default()).unwrap();
    group.on_text(|connection, _| {
        let about = connection.attributes();
        let certificate = about.certificate().unwrap();
        let tenant = about.values.get::<Tenant>().unwrap();
        let (name, len) = (certificate.common_name(), certificate.fingerprint().len());
        connection.post(format!("{} {} {len}", name.unwrap(), tenant.0));
    });
    let listener = Listener::bind("127.0.0.1:0", config).await.unwrap();
    let url = listener.url();
    tokio::spawn(listener.serve(
        move |arrival| join(arrival, registry.clone(), group.clone()),
        std::future::pending(),
    ));
    let tls = fleet.present(server.client_builder(), "buoy 9");
    let mut ws = Connector::default()
        .with_tls(tls)
        .connect(&url)
        .await
        .unwrap();
    ws.send("who am I?").await.unwrap();
    assert_eq!(soon(told(&mut ws)).await, "buoy 9 south 32");
}

async fn join(arrival: Arrival, registry: Registry, group: ConnectionGroup) {
    let Arrival::WebSocket(arrival) = arrival else {
        panic!("nobody asks for a page");
    };
    let reserved = registry.reserve().unwrap();
    arrival.accept_into(&group, reserved, None).await.unwrap();
}
