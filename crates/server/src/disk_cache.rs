//! The disk cache of blocks, by its settings: which directory, whose objects, or none at all.
//!
//! Owns: refusing it where it means nothing. Never lets a broker fail over a cache: one that cannot be opened is left out, and said.

use crate::config::Settings;
use crate::config::value::StoreKind;
use anyhow::bail;
use millstream_log::disk::FileDisk;
use millstream_log::objects::tier::{DiskTier, DiskTierOptions, SecondTier};
use millstream_log::{FlushMode, WalRunner};
use std::sync::Arc;

/// The tier that the settings ask for, if they ask for one. `cluster` is the name that the metadata were given when they were made:
/// what other metadata called by the same numbers is not ours.
pub fn open(settings: &Settings, cluster: &str) -> anyhow::Result<Option<Arc<dyn SecondTier>>> {
    let Some(path) = &settings.cache.disk_path else {
        return Ok(None);
    };
    let objects = &settings.objects;
    if objects.kind == StoreKind::Local {
        bail!(
            "cache.disk_path is set, but objects are kept in the data directory, where every read is one of a local disk already; \
             leave it out, or set objects.kind = s3"
        );
    }
    let endpoint = objects.endpoint.as_ref().map_or("", |url| url.0.as_str());
    let [bucket, prefix] = [&objects.bucket, &objects.prefix].map(|text| text.as_deref().unwrap_or_default());
    let options = DiskTierOptions {
        bytes_max: settings.cache.disk_bytes.0,
        owner: DiskTierOptions::owner_of(&[cluster, endpoint, bucket, prefix]),
        runner: WalRunner::Thread,
    };
    // "Sync" is how it writes, past the page cache and so not in the way of the write-ahead log; nothing is ever flushed.
    let opened =
        FileDisk::open(path, FlushMode::Sync).and_then(|disk| DiskTier::open(Arc::new(disk), options));
    match opened {
        Ok(tier) => Ok(Some(Arc::new(tier))),
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "there is no disk cache of blocks: its directory cannot be used; reads go to the object store");
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Layers;

    #[test]
    fn there_is_none_unless_it_is_asked_for_and_none_before_local_objects() {
        let mut settings = Layers::default().settings();
        assert!(open(&settings, "a").expect("nothing is asked for").is_none());
        settings.cache.disk_path = Some(std::env::temp_dir());
        let refused = open(&settings, "a").err().expect("local objects");
        assert!(refused.to_string().contains("objects.kind = s3"), "{refused}");
    }

    #[test]
    fn a_directory_that_cannot_be_used_keeps_no_broker_from_starting() {
        let mut settings = Layers::default().settings();
        settings.objects.kind = StoreKind::S3;
        settings.cache.disk_path = Some("/dev/null/cache".into());
        assert!(open(&settings, "a").expect("a start without it").is_none());
    }
}
