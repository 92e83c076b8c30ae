//! The HTTP side of a broker: health, metrics, a read-only JSON API and the console page.
//!
//! Owns: how numbers are shown. Never: the numbers themselves, which it asks for through its port [`Source`] at each request, and
//! never a change: every route is a GET, so that a page of somebody else cannot make a browser change anything.
//!
//! **Invariant**: neither the number of series in `/metrics` nor the number of connections grows without bound.

#![forbid(unsafe_code)]

mod api;
mod http;
mod limit;
mod metrics;
mod process;
mod source;

pub use http::{Readiness, serve};
pub use limit::HTTP_CONNECTIONS_MAX;
pub use metrics::{GROUP_SERIES_MAX, TOPIC_SERIES_MAX};
pub use source::{
    ApiMeasure, BrokerInfo, ClientMeasure, ConfigInfo, GroupDetail, GroupInfo, GroupOffset, Latencies,
    Measures, MemberInfo, PartitionInfo, Reading, ReadingKind, Source, TopicDetail, TopicInfo,
};

#[cfg(test)]
mod tests;
