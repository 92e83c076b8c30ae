//! What protects the listeners: TLS, logins, and the files that both come from.
//!
//! Owns: reading and following those files. Never: a verdict on a proof (the broker's).
//!
//! **Invariant**: a file that cannot be used changes nothing: what held before holds on, and the log says why. No line of the log holds
//! a password, a key or a token.

pub mod files;
pub mod names;
pub mod tls;

use crate::config::Settings;
use crate::config::listener::Listener;
use anyhow::{Context, anyhow, bail};
use files::Watched;
use millstream_broker::security::sasl::oauth::TokenRules;
use millstream_broker::security::sasl::plain::PlainUsers;
use millstream_broker::security::sasl::{Authenticators, Mechanism};
use millstream_broker::security::{Principal, TokenKey};
use millstream_kafka::LoginRules;
use names::PrincipalRules;
use std::sync::Arc;
use tls::ServerTls;

/// How one listener is protected.
#[derive(Clone)]
pub struct Guard {
    /// Its name.
    pub listener: String,
    /// TLS, if it is spoken.
    pub tls: Option<Arc<ServerTls>>,
    /// The login, if one is asked for.
    pub login: Option<Arc<LoginRules>>,
    names: Arc<PrincipalRules>,
}

impl Guard {
    /// Who somebody is by the subject of their certificate.
    #[must_use]
    pub fn principal(&self, subject: Option<&str>) -> Principal {
        match subject {
            Some(subject) => Principal::user(&self.names.apply(subject)),
            None => Principal::anonymous(),
        }
    }
}

/// Everything that protects this broker.
pub struct Security {
    /// What logins are checked against.
    pub authenticators: Authenticators,
    /// One for each listener, in their order.
    pub guards: Vec<Guard>,
    watched: Vec<Watched>,
}

impl Security {
    /// Reads all files.
    ///
    /// # Errors
    /// What is missing or cannot be used: a broker does not start less protected than it was asked to.
    pub fn load(settings: &Settings) -> anyhow::Result<Self> {
        let mut watched = Vec::new();
        let listeners = &settings.kafka.listen.0;
        let authenticators = authenticators(settings, &mut watched)?;
        let tls = match listeners.iter().any(|listener| listener.protocol.is_encrypted()) {
            true => Some(ServerTls::load(&settings.tls, &mut watched)?),
            false => None,
        };
        let names = PrincipalRules::parse(&settings.tls.principal_mapping_rules)
            .map_err(|why| anyhow!("tls.principal_mapping_rules: {why}"))?;
        let names = Arc::new(names);
        let login = Arc::new(login_rules(settings, &authenticators)?);
        let guard = |listener: &Listener| Guard {
            listener: listener.name.clone(),
            tls: tls.clone().filter(|_| listener.protocol.is_encrypted()),
            login: listener.protocol.asks_login().then(|| login.clone()),
            names: names.clone(),
        };
        Ok(Self {
            authenticators,
            guards: listeners.iter().map(guard).collect(),
            watched,
        })
    }

    /// Follows the files for as long as the runtime lives.
    pub fn follow(&mut self, settings: &Settings) {
        for watched in self.watched.drain(..) {
            tokio::spawn(watched.follow(settings.security.reload_interval));
        }
        if let (Some(url), Some(rules)) = (settings.oauth.jwks_url.clone(), &self.authenticators.oauth) {
            tokio::spawn(files::follow_url(
                url,
                rules.clone(),
                settings.oauth.refresh_interval,
            ));
        }
    }
}

fn authenticators(settings: &Settings, watched: &mut Vec<Watched>) -> anyhow::Result<Authenticators> {
    let plain = Arc::new(PlainUsers::default());
    if let Some(path) = &settings.security.plain_users_file {
        let users = plain.clone();
        let load = move |bytes: &[u8]| {
            let text = std::str::from_utf8(bytes).map_err(|_| "it is no text".to_owned())?;
            users.replace(text)
        };
        watched.push(Watched::load(
            "security.plain_users_file",
            vec![path.clone()],
            files::one(load),
        )?);
    }
    let token_key = match &settings.security.token_key_file {
        Some(path) => {
            let secret = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read security.token_key_file {}", path.display()))?;
            let secret = secret.trim();
            if secret.is_empty() {
                bail!("security.token_key_file {} is empty", path.display());
            }
            let security = &settings.security;
            Some(TokenKey::new(
                secret,
                security.token_lifetime_max,
                security.token_expiry,
            ))
        }
        None => None,
    };
    Ok(Authenticators {
        plain,
        oauth: oauth(settings, watched)?,
        token_key,
    })
}

fn oauth(settings: &Settings, watched: &mut Vec<Watched>) -> anyhow::Result<Option<Arc<TokenRules>>> {
    let wanted = &settings.oauth;
    if wanted.jwks_file.is_none() && wanted.jwks_url.is_none() && !wanted.allow_unsecured {
        return Ok(None);
    }
    let mut rules = TokenRules::default();
    rules.issuer.clone_from(&wanted.issuer);
    rules.audiences = wanted.audience.iter().cloned().collect();
    rules.subject_claim.clone_from(&wanted.subject_claim);
    rules.clock_skew = wanted.clock_skew;
    rules.allow_unsecured = wanted.allow_unsecured;
    let rules = Arc::new(rules);
    if wanted.allow_unsecured {
        tracing::warn!("oauth.allow_unsecured: whoever connects may call themselves whatever they like");
    }
    if let Some(path) = &wanted.jwks_file {
        let keys = rules.clone();
        let load = move |bytes: &[u8]| keys.replace_keys(bytes).map(drop);
        watched.push(Watched::load(
            "oauth.jwks_file",
            vec![path.clone()],
            files::one(load),
        )?);
    }
    Ok(Some(rules))
}

fn login_rules(settings: &Settings, authenticators: &Authenticators) -> anyhow::Result<LoginRules> {
    let security = &settings.security;
    let names = security
        .sasl_mechanisms
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty());
    let mechanisms = names.map(str::parse::<Mechanism>).collect::<Result<Vec<_>, _>>();
    let mechanisms = mechanisms.context("security.sasl_mechanisms")?;
    if mechanisms.contains(&Mechanism::OauthBearer) && authenticators.oauth.is_none() {
        bail!("security.sasl_mechanisms names OAUTHBEARER, so oauth.jwks_file or oauth.jwks_url must be set");
    }
    if mechanisms.contains(&Mechanism::Plain) && security.plain_users_file.is_none() {
        bail!("security.sasl_mechanisms names PLAIN, so security.plain_users_file must be set");
    }
    let asked = settings
        .kafka
        .listen
        .0
        .iter()
        .any(|listener| listener.protocol.asks_login());
    if asked && mechanisms.is_empty() {
        bail!("a listener asks for a login, so security.sasl_mechanisms must name a mechanism");
    }
    Ok(LoginRules {
        mechanisms,
        reauth_max: Some(security.reauth_max).filter(|max| !max.is_zero()),
        failure_delay: security.failed_login_delay,
        time_max: security.login_max,
    })
}
