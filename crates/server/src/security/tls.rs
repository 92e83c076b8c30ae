//! TLS of the listeners: certificate, key and the authorities of clients, from PEM files that may change while the broker runs.
//!
//! Owns: which versions and certificates are taken. Never: who somebody is by their certificate's subject (`names.rs`).
//!
//! **Invariant**: TLS 1.2 and 1.3, nothing older; a handshake takes limited time; new files are used from the next connection on, and
//! only if they fit together.

use super::files::{Load, Watched};
use crate::config::table::TlsSettings;
use crate::config::value::{ClientAuth, TlsVersion};
use anyhow::Context;
use arc_swap::ArcSwapOption;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoClientAuth, NoServerSessionStorage, WebPkiClientVerifier};
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use x509_cert::der::Decode;

/// How long a handshake may take.
const HANDSHAKE_MAX: Duration = Duration::from_secs(15);

/// What the listeners offer, replaced when the files change.
pub struct ServerTls {
    config: Arc<ArcSwapOption<ServerConfig>>,
}

/// A connection with TLS, and the subject of the client's certificate.
pub struct Accepted {
    /// What is read and written.
    pub stream: TlsStream<TcpStream>,
    /// As RFC 4514 writes it; `None`: no certificate was shown.
    pub subject: Option<String>,
}

impl ServerTls {
    /// Reads the files.
    ///
    /// # Errors
    /// What is missing or does not fit together.
    pub fn load(settings: &TlsSettings, watched: &mut Vec<Watched>) -> anyhow::Result<Arc<Self>> {
        let needed = "a listener speaks TLS, so tls.cert_file and tls.key_file must be set";
        let mut paths = vec![
            settings.cert_file.clone().context(needed)?,
            settings.key_file.clone().context(needed)?,
        ];
        if settings.client_auth != ClientAuth::None {
            let needed = "tls.client_auth asks for certificates, so tls.client_ca_file must be set";
            paths.push(settings.client_ca_file.clone().context(needed)?);
        }
        let config = Arc::new(ArcSwapOption::empty());
        let (shared, settings) = (config.clone(), settings.clone());
        let load: Load = Box::new(move |files| {
            let made = server_config(&settings, files)?;
            shared.store(Some(Arc::new(made)));
            Ok(())
        });
        watched.push(Watched::load("tls", paths, load)?);
        Ok(Arc::new(Self { config }))
    }

    /// Speaks TLS on a connection.
    ///
    /// # Errors
    /// The handshake failed, or took too long.
    pub async fn accept(&self, stream: TcpStream) -> io::Result<Accepted> {
        let config = self.config.load_full();
        let config = config.ok_or_else(|| io::Error::other("no certificate was read"))?;
        let handshake = TlsAcceptor::from(config).accept(stream);
        let stream = timeout(HANDSHAKE_MAX, handshake).await??;
        let (_, session) = stream.get_ref();
        let shown = session.peer_certificates().and_then(<[_]>::first);
        let subject = shown.map(subject).transpose()?;
        Ok(Accepted { stream, subject })
    }
}

fn subject(certificate: &CertificateDer<'_>) -> io::Result<String> {
    let parsed = x509_cert::Certificate::from_der(certificate);
    let parsed = parsed.map_err(|_| io::Error::other("the client's certificate has no subject"))?;
    Ok(parsed.tbs_certificate().subject().to_string())
}

fn server_config(settings: &TlsSettings, files: &[Vec<u8>]) -> Result<ServerConfig, String> {
    let [chain, key, authorities @ ..] = files else {
        return Err("the files of certificate and key were not read".to_owned());
    };
    let chain = certificates(chain, "tls.cert_file")?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| format!("tls.key_file: {error}"))?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let versions: &[&SupportedProtocolVersion] = match settings.min_version {
        TlsVersion::Tls12 => &[&TLS13, &TLS12],
        TlsVersion::Tls13 => &[&TLS13],
    };
    let verifier: Arc<dyn ClientCertVerifier> = match authorities.first() {
        None => Arc::new(NoClientAuth),
        Some(file) => {
            let mut roots = RootCertStore::empty();
            for authority in certificates(file, "tls.client_ca_file")? {
                roots
                    .add(authority)
                    .map_err(|error| format!("tls.client_ca_file: {error}"))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone());
            let verifier = match settings.client_auth {
                ClientAuth::Required => verifier,
                _ => verifier.allow_unauthenticated(),
            };
            verifier
                .build()
                .map_err(|error| format!("tls.client_ca_file: {error}"))?
        }
    };
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(|error| error.to_string())?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .map_err(|error| format!("certificate and key: {error}"))?;
    if settings.client_auth != ClientAuth::None {
        // A session that is resumed shows no certificate: who was known by one that has expired since would be known on.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    Ok(config)
}

/// Every certificate of a PEM file.
pub fn certificates(pem: &[u8], setting: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let found = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    let found = found.map_err(|error| format!("{setting}: {error}"))?;
    match found.is_empty() {
        true => Err(format!("{setting} holds no certificate")),
        false => Ok(found),
    }
}
