//! Temporary.
#![allow(missing_docs, clippy::todo)]
pub mod catalog {
    use millstream_log::{Epoch, StreamId};
    use std::collections::BTreeMap;
    use std::sync::Arc;
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub struct TopicId(pub [u8; 16]);
    pub struct PartitionFacts {
        pub stream: StreamId,
        pub epoch: Epoch,
    }
    pub struct TopicFacts {
        pub name: String,
        pub id: TopicId,
        pub partitions: Vec<PartitionFacts>,
        pub configs: BTreeMap<String, String>,
    }
    #[derive(Clone, Debug)]
    pub struct NewTopic {
        pub name: String,
        pub partitions: u32,
        pub configs: BTreeMap<String, String>,
    }
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum CatalogError {
        TopicExists(String),
        UnknownTopic,
        InvalidName(String),
        InvalidPartitions(String),
        Store(String),
    }
    impl std::fmt::Display for CatalogError {
        fn fmt(&self, _f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            todo!()
        }
    }
    impl std::error::Error for CatalogError {}
    #[derive(Clone)]
    pub struct Catalog;
    pub struct Image;
    impl Image {
        pub fn topics(&self) -> impl Iterator<Item = &Arc<TopicFacts>> {
            std::iter::empty()
        }
        pub fn broker_configs(&self, _b: Option<u32>) -> BTreeMap<String, String> {
            todo!()
        }
    }
    impl Catalog {
        pub fn image(&self) -> Arc<Image> {
            todo!()
        }
        pub fn cluster_id(&self) -> String {
            todo!()
        }
        pub fn check_new_topic(&self, _n: &NewTopic) -> Result<(), CatalogError> {
            todo!()
        }
        pub async fn create_topic(&self, _n: NewTopic) -> Result<Arc<TopicFacts>, CatalogError> {
            todo!()
        }
        pub async fn add_partitions(&self, _n: &str, _c: u32) -> Result<Arc<TopicFacts>, CatalogError> {
            todo!()
        }
        pub async fn delete_topic(&self, _n: &str) -> Result<(), CatalogError> {
            todo!()
        }
        pub async fn set_topic_configs(
            &self,
            _n: &str,
            _c: BTreeMap<String, String>,
        ) -> Result<Arc<TopicFacts>, CatalogError> {
            todo!()
        }
        pub async fn set_broker_configs(
            &self,
            _b: Option<u32>,
            _c: BTreeMap<String, String>,
        ) -> Result<(), CatalogError> {
            todo!()
        }
        pub async fn allocate_producer_ids(&self) -> Result<std::ops::Range<i64>, CatalogError> {
            todo!()
        }
    }
}
