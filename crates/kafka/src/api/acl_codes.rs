//! Numbers of access rules on the wire: one way in for the three APIs that have them.

use crate::errors::ErrorCode;
use millstream_broker::security::{
    AclFilter, Operation, PatternFilter, PatternType, Permission, ResourceType,
};
use millstream_kafka_wire::Str;

/// Number that means "any" in filters.
const ANY: i8 = 1;
/// Pattern type that means "would concern a resource of this name".
const MATCH: i8 = 2;

/// A text of a filter; none means any.
pub(super) fn any(text: Option<&Str>) -> Option<String> {
    text.map(Str::to_string)
}

/// What is not a number of the protocol, or "any" where one is wanted.
pub(super) fn unknown(what: &str) -> (ErrorCode, String) {
    let message = format!("The request holds an unknown or unspecific {what}.");
    (ErrorCode::INVALID_REQUEST, message)
}

/// The one of that number; "any" and unknown numbers are refused.
pub(super) fn one<T>(code: i8, from_code: fn(u8) -> Option<T>, what: &str) -> Result<T, (ErrorCode, String)> {
    let known = u8::try_from(code).ok().and_then(from_code);
    known.ok_or_else(|| unknown(what))
}

fn one_or_any<T>(
    code: i8,
    from_code: fn(u8) -> Option<T>,
    what: &str,
) -> Result<Option<T>, (ErrorCode, String)> {
    match code {
        ANY => Ok(None),
        code => one(code, from_code, what).map(Some),
    }
}

/// A filter as three APIs spell it: (resource type, pattern type), name, principal, host, (operation, permission).
pub(super) fn acl_filter(
    (resource, pattern): (i8, i8),
    name: Option<&Str>,
    principal: Option<String>,
    host: Option<String>,
    (operation, permission): (i8, i8),
) -> Result<AclFilter, (ErrorCode, String)> {
    Ok(AclFilter {
        resource: one_or_any(resource, ResourceType::from_code, "resource type")?,
        pattern: match pattern {
            ANY => PatternFilter::Any,
            MATCH => PatternFilter::Matching,
            code => PatternFilter::Exactly(one(code, PatternType::from_code, "pattern type")?),
        },
        name: any(name),
        principal,
        host,
        operation: one_or_any(operation, Operation::from_code, "operation")?,
        permission: one_or_any(permission, Permission::from_code, "permission type")?,
    })
}
