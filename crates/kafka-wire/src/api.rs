//! What is known about each API beside its messages: name, versions, header versions. The table that ApiVersions is derived from.

pub use crate::generated::ApiKey;
use std::fmt;
use std::ops::RangeInclusive;

/// One row of the generated table.
pub(crate) struct Facts {
    pub name: &'static str,
    pub version_min: i16,
    pub version_max: i16,
    pub version_stable_max: i16,
    pub flexible_from: i16,
}

impl Facts {
    /// One line of the generated table.
    pub(crate) const fn row(
        name: &'static str,
        version_min: i16,
        version_max: i16,
        version_stable_max: i16,
        flexible_from: i16,
    ) -> Self {
        Self {
            name,
            version_min,
            version_max,
            version_stable_max,
            flexible_from,
        }
    }
}

/// Kafka names Produce from version 0 on in ApiVersions, because librdkafka turns compression off when version 0 is missing from
/// the range (KAFKA-18659). Requests below version 3 are refused when they come.
const PRODUCE_ADVERTISED_MIN: i16 = 0;

impl ApiKey {
    /// Number on the wire.
    #[must_use]
    pub const fn code(self) -> i16 {
        self as i16
    }

    /// Kafka's name of the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.facts().name
    }

    /// Versions that can be read and written.
    #[must_use]
    pub const fn versions(self) -> RangeInclusive<i16> {
        self.facts().version_min..=self.facts().version_max
    }

    /// Versions that can be read and written and whose layout is final.
    #[must_use]
    pub const fn stable_versions(self) -> RangeInclusive<i16> {
        self.facts().version_min..=self.facts().version_stable_max
    }

    /// Versions to name in ApiVersions.
    #[must_use]
    pub const fn advertised_versions(self) -> RangeInclusive<i16> {
        let facts = self.facts();
        match self {
            Self::Produce => PRODUCE_ADVERTISED_MIN..=facts.version_stable_max,
            _ => facts.version_min..=facts.version_stable_max,
        }
    }

    /// Whether lengths are compact and structs end with tagged fields (KIP-482).
    #[must_use]
    pub const fn is_flexible(self, version: i16) -> bool {
        version >= self.facts().flexible_from
    }

    /// Version of the header before a request.
    #[must_use]
    pub const fn request_header_version(self, version: i16) -> i16 {
        if self.is_flexible(version) { 2 } else { 1 }
    }

    /// Version of the header before a response. ApiVersions stays at 0: the client does not know yet what the broker
    /// understands, so it must be able to read the error of a version that is too high (KIP-511).
    #[must_use]
    pub const fn response_header_version(self, version: i16) -> i16 {
        match self {
            Self::ApiVersions => 0,
            _ if self.is_flexible(version) => 1,
            _ => 0,
        }
    }
}

impl fmt::Display for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// No API that is known here has this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownApi(pub i16);

impl fmt::Display for UnknownApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "API key {} is not known", self.0)
    }
}

impl std::error::Error for UnknownApi {}

impl TryFrom<i16> for ApiKey {
    type Error = UnknownApi;

    fn try_from(code: i16) -> Result<Self, UnknownApi> {
        Self::from_code(code).ok_or(UnknownApi(code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_api_is_found_by_its_number() {
        for key in ApiKey::ALL {
            assert_eq!(ApiKey::try_from(key.code()), Ok(*key));
        }
        assert_eq!(ApiKey::try_from(-1), Err(UnknownApi(-1)));
    }

    #[test]
    fn produce_is_advertised_from_zero_and_read_from_three() {
        assert_eq!(*ApiKey::Produce.advertised_versions().start(), 0);
        assert_eq!(*ApiKey::Produce.versions().start(), 3);
    }

    #[test]
    fn api_versions_response_header_is_never_flexible() {
        assert_eq!(ApiKey::ApiVersions.response_header_version(4), 0);
        assert_eq!(ApiKey::ApiVersions.request_header_version(4), 2);
    }

    #[test]
    fn versions_that_are_not_final_are_not_advertised() {
        assert_eq!(ApiKey::InitProducerId.versions(), 0..=6);
        assert_eq!(ApiKey::InitProducerId.advertised_versions(), 0..=5);
    }
}
