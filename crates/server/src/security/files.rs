//! Files and addresses that are read again when they change.
//!
//! Owns: when that is. Never: what they hold.

use crate::config::value::WebAddress;
use anyhow::anyhow;
use millstream_broker::security::sasl::oauth::TokenRules;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The largest of these files, in bytes: certificate chains and lists of users are small.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// Takes the files' contents over, or says what is wrong with them.
pub type Load = Box<dyn Fn(&[Vec<u8>]) -> Result<(), String> + Send + Sync>;

/// For one file alone.
pub fn one(load: impl Fn(&[u8]) -> Result<(), String> + Send + Sync + 'static) -> Load {
    Box::new(move |files| load(files.first().map_or(&[], Vec::as_slice)))
}

/// Files that are taken over together.
pub struct Watched {
    setting: &'static str,
    paths: Vec<PathBuf>,
    load: Load,
    seen: Vec<Option<(SystemTime, u64)>>,
}

impl Watched {
    /// Takes them over for the first time.
    ///
    /// # Errors
    /// What cannot be read or used.
    pub fn load(setting: &'static str, paths: Vec<PathBuf>, load: Load) -> anyhow::Result<Self> {
        let mut watched = Self {
            setting,
            paths,
            load,
            seen: Vec::new(),
        };
        watched.seen = watched.stamps();
        watched.take().map_err(|why| anyhow!("{setting}: {why}"))?;
        Ok(watched)
    }

    fn take(&self) -> Result<(), String> {
        let contents = self.paths.iter().map(|path| read(path));
        let contents = contents.collect::<Result<Vec<_>, _>>()?;
        (self.load)(&contents)
    }

    fn stamps(&self) -> Vec<Option<(SystemTime, u64)>> {
        let stamp = |path: &PathBuf| {
            let metadata = std::fs::metadata(path).ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        };
        self.paths.iter().map(stamp).collect()
    }

    /// Looks now and then, and takes over what has changed.
    pub async fn follow(mut self, interval: Duration) {
        loop {
            tokio::time::sleep(interval).await;
            self = match tokio::task::spawn_blocking(move || self.look()).await {
                Ok(watched) => watched,
                Err(_) => return,
            };
        }
    }

    fn look(mut self) -> Self {
        let stamps = self.stamps();
        if stamps == self.seen {
            return self;
        }
        self.seen = stamps;
        let setting = self.setting;
        match self.take() {
            Ok(()) => tracing::info!(setting, "read anew"),
            Err(why) => tracing::error!(setting, why, "what was read before holds on"),
        }
        self
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let shown = path.display();
    let metadata = std::fs::metadata(path).map_err(|error| format!("cannot read {shown}: {error}"))?;
    if metadata.len() > FILE_BYTES_MAX {
        return Err(format!("{shown} is too large"));
    }
    std::fs::read(path).map_err(|error| format!("cannot read {shown}: {error}"))
}

/// The pause after a key set could not be fetched for the first time; it doubles up to the interval.
const RETRY_FIRST: Duration = Duration::from_secs(1);

/// The shortest pause after which a token by an unknown key has the set fetched anew: anybody can show such tokens.
const UNKNOWN_KEY_PAUSE: Duration = Duration::from_secs(5);

/// Fetches a key set now and then, and soon after somebody has shown a token by a key that is not in it, as after a rotation.
pub async fn follow_url(url: WebAddress, rules: Arc<TokenRules>, interval: Duration) {
    let mut retry = RETRY_FIRST;
    loop {
        let fetched = fetch(&url).await.and_then(|set| rules.replace_keys(&set));
        let pause = match fetched {
            Ok(keys) => {
                tracing::info!(keys, "oauth.jwks_url: fetched");
                retry = RETRY_FIRST;
                interval
            }
            Err(why) => {
                tracing::error!(why, "oauth.jwks_url: what was fetched before holds on");
                let pause = retry.min(interval);
                retry = (retry * 2).min(interval);
                pause
            }
        };
        let sooner = async {
            tokio::time::sleep(UNKNOWN_KEY_PAUSE).await;
            rules.unknown_key().await;
        };
        tokio::select! {
            biased;
            () = tokio::time::sleep(pause) => {}
            () = sooner => {}
        }
    }
}

/// The largest key set, in bytes.
#[cfg(feature = "s3")]
const SET_BYTES_MAX: usize = 1 << 20;

/// How long a fetch may take.
#[cfg(feature = "s3")]
const FETCH_MAX: Duration = Duration::from_secs(20);

/// How often a fetch is sent elsewhere.
#[cfg(feature = "s3")]
const REDIRECTS_MAX: usize = 3;

#[cfg(feature = "s3")]
async fn fetch(url: &WebAddress) -> Result<Vec<u8>, String> {
    let told = |error: reqwest::Error| error.without_url().to_string();
    let client = reqwest::Client::builder()
        .timeout(FETCH_MAX)
        // Whoever asked for encryption is not sent elsewhere without it.
        .https_only(url.is_encrypted())
        .redirect(reqwest::redirect::Policy::limited(REDIRECTS_MAX))
        .build()
        .map_err(told)?;
    let answer = client.get(&url.0).send().await.map_err(told)?;
    let mut answer = answer.error_for_status().map_err(told)?;
    let mut set = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(told)? {
        if set.len() + chunk.len() > SET_BYTES_MAX {
            return Err("the answer is too large".to_owned());
        }
        set.extend_from_slice(&chunk);
    }
    Ok(set)
}

#[cfg(not(feature = "s3"))]
async fn fetch(_: &WebAddress) -> Result<Vec<u8>, String> {
    Err("this program was built without an HTTP client; use oauth.jwks_file".to_owned())
}
