//! How the command line protects its connections: TLS, and the login by PLAIN or SCRAM.
//!
//! Owns: the client's side of both. Never: prints a password; it comes from the environment or a file, not from the command line, where
//! every process of the machine could read it.

use super::connection::Connection;
use super::error::ClientError;
use crate::config::listener::Protocol;
use anyhow::{Context, anyhow, bail};
use bytes::Bytes;
use clap::Args;
use millstream_broker::security::ScramMechanism;
use millstream_broker::security::sasl::Mechanism;
use millstream_broker::security::sasl::scram::ScramClient;
use millstream_kafka_wire::{SaslAuthenticateRequest, SaslHandshakeRequest, Str};
use millstream_meta::{Entropy, SystemEntropy};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Flags of every command that talks to a broker.
#[derive(Clone, Debug, Default, Args)]
pub struct SecurityArgs {
    /// PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL, as the listener.
    #[arg(
        long,
        value_name = "PROTOCOL",
        env = "MILLSTREAM_SECURITY_PROTOCOL",
        global = true
    )]
    pub security_protocol: Option<String>,
    /// PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.
    #[arg(
        long,
        value_name = "MECHANISM",
        env = "MILLSTREAM_SASL_MECHANISM",
        global = true
    )]
    pub sasl_mechanism: Option<String>,
    /// Who logs in. The password is read from MILLSTREAM_PASSWORD, or from --password-file.
    #[arg(long, value_name = "NAME", env = "MILLSTREAM_USERNAME", global = true)]
    pub username: Option<String>,
    /// File with the password.
    #[arg(long, value_name = "FILE", env = "MILLSTREAM_PASSWORD_FILE", global = true)]
    pub password_file: Option<PathBuf>,
    /// PEM file of the authorities that sign brokers' certificates.
    #[arg(long, value_name = "FILE", env = "MILLSTREAM_CA", global = true)]
    pub ca: Option<PathBuf>,
    /// PEM file of the client's own certificate.
    #[arg(long, value_name = "FILE", env = "MILLSTREAM_CLIENT_CERT", global = true)]
    pub client_cert: Option<PathBuf>,
    /// PEM file of the certificate's key.
    #[arg(long, value_name = "FILE", env = "MILLSTREAM_CLIENT_KEY", global = true)]
    pub client_key: Option<PathBuf>,
}

/// The variable that holds the password.
pub const PASSWORD_VARIABLE: &str = "MILLSTREAM_PASSWORD";

/// The longest nonce of a server that is looked at, and so on: a login has few bytes.
const SCRAM_DEFAULT: Mechanism = Mechanism::Scram(ScramMechanism::Sha512);

/// What is read and written.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// How connections are made.
#[derive(Clone, Default)]
pub struct ClientSecurity {
    tls: Option<Arc<ClientConfig>>,
    login: Option<Login>,
}

#[derive(Clone)]
struct Login {
    mechanism: Mechanism,
    user: String,
    password: String,
}

impl fmt::Debug for ClientSecurity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "ClientSecurity(tls: {}, login: {})",
            self.tls.is_some(),
            self.login.is_some()
        )
    }
}

impl SecurityArgs {
    /// Reads the files.
    ///
    /// # Errors
    /// What is missing or makes no sense.
    pub fn load(&self) -> anyhow::Result<ClientSecurity> {
        let protocol = match &self.security_protocol {
            Some(name) => Protocol::from_name(name).ok_or_else(|| {
                anyhow!("--security-protocol is PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL")
            })?,
            None if self.username.is_some() || self.ca.is_some() => {
                bail!("--security-protocol must say how the listener is protected, e.g. SASL_SSL")
            }
            None => Protocol::Plaintext,
        };
        Ok(ClientSecurity {
            tls: protocol.is_encrypted().then(|| self.tls()).transpose()?,
            login: protocol.asks_login().then(|| self.login()).transpose()?,
        })
    }

    fn login(&self) -> anyhow::Result<Login> {
        let mechanism = match &self.sasl_mechanism {
            Some(name) => name.parse().context("--sasl-mechanism")?,
            None => SCRAM_DEFAULT,
        };
        if mechanism == Mechanism::OauthBearer {
            bail!("--sasl-mechanism: this command line logs in by PLAIN and SCRAM");
        }
        let password = match &self.password_file {
            Some(path) => std::fs::read_to_string(path)
                .with_context(|| format!("cannot read --password-file {}", path.display()))?,
            None => std::env::var(PASSWORD_VARIABLE)
                .map_err(|_| anyhow!("a password is needed: {PASSWORD_VARIABLE}, or --password-file FILE"))?,
        };
        Ok(Login {
            mechanism,
            user: self.username.clone().context("--username says who logs in")?,
            password: password.trim_end_matches(['\r', '\n']).to_owned(),
        })
    }

    fn tls(&self) -> anyhow::Result<Arc<ClientConfig>> {
        let authorities = self
            .ca
            .as_ref()
            .context("--ca names the authorities of the broker's certificate")?;
        let read =
            |path: &PathBuf| std::fs::read(path).with_context(|| format!("cannot read {}", path.display()));
        let certificates = |path: &PathBuf, flag: &str| {
            crate::security::tls::certificates(&read(path)?, flag).map_err(|why| anyhow!(why))
        };
        let mut roots = RootCertStore::empty();
        for authority in certificates(authorities, "--ca")? {
            roots.add(authority).context("--ca")?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots);
        let config = match (&self.client_cert, &self.client_key) {
            (Some(cert), Some(key)) => {
                let key = PrivateKeyDer::from_pem_slice(&read(key)?)
                    .map_err(|error| anyhow!("--client-key: {error}"))?;
                builder.with_client_auth_cert(certificates(cert, "--client-cert")?, key)?
            }
            (None, None) => builder.with_no_client_auth(),
            _ => bail!("--client-cert and --client-key belong together"),
        };
        Ok(Arc::new(config))
    }
}

impl ClientSecurity {
    /// Speaks TLS on the connection, if that is asked for.
    pub(super) async fn wrap(&self, host: &str, stream: TcpStream) -> io::Result<Box<dyn Stream>> {
        let Some(config) = &self.tls else {
            return Ok(Box::new(stream));
        };
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let stream = TlsConnector::from(config.clone()).connect(name, stream).await?;
        Ok(Box::new(stream))
    }

    /// Logs in, if that is asked for.
    pub(super) async fn log_in(&self, connection: &mut Connection) -> Result<(), ClientError> {
        let Some(login) = &self.login else {
            return Ok(());
        };
        let ask = SaslHandshakeRequest {
            mechanism: Str::from_static(login.mechanism.name()),
        };
        let answer = connection.call(&ask, 1..=1).await?;
        ClientError::check(
            || format!("login by {}", login.mechanism),
            answer.error_code,
            None,
        )?;
        let Mechanism::Scram(mechanism) = login.mechanism else {
            let message = format!("\0{}\0{}", login.user, login.password);
            return authenticate(connection, message, login).await.map(drop);
        };
        let nonce: String = SystemEntropy
            .draw()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let mut exchange = ScramClient::new(mechanism, &login.user, &login.password, &nonce);
        let challenge = authenticate(connection, exchange.first(), login).await?;
        let last = exchange.last(&challenge).ok_or_else(|| nonsense("a challenge"))?;
        let proof = authenticate(connection, last, login).await?;
        match exchange.trusts(&proof) {
            true => Ok(()),
            false => Err(nonsense("a proof that it knows the password")),
        }
    }
}

fn nonsense(what: &str) -> ClientError {
    ClientError::Unexpected(format!("the broker's answer to the login is not {what}"))
}

async fn authenticate(
    connection: &mut Connection,
    message: String,
    login: &Login,
) -> Result<String, ClientError> {
    let ask = SaslAuthenticateRequest {
        auth_bytes: Bytes::from(message),
    };
    let answer = connection.call(&ask, 0..=2).await?;
    let what = || format!("login of {} by {}", login.user, login.mechanism);
    ClientError::check(what, answer.error_code, answer.error_message.as_deref())?;
    String::from_utf8(answer.auth_bytes.to_vec()).map_err(|_| nonsense("text"))
}
