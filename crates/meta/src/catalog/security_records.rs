//! Records and keys of access rules, SCRAM users and delegation tokens, field by field (docs/format/meta.md).
//!
//! Owns: encoding, decoding, and which key a fact has. Never: whether a fact makes sense beside the others.
//! **Invariant**: `decode(encode(x)) == x`; nothing else is accepted, and nothing panics.

use super::acl::{ACL_TEXT_BYTES_MAX, AclBinding, Operation, PatternType, Permission, ResourceType};
use super::credentials::{
    DelegationToken, SCRAM_SALT_BYTES_MAX, SCRAM_USER_BYTES_MAX, ScramCredential, ScramMechanism,
    TOKEN_ID_BYTES, TOKEN_PRINCIPAL_BYTES_MAX, TOKEN_RENEWERS_MAX,
};
use crate::key::Key;
use crate::record::{DecodeError, Decoder, Encoder, Kind};
use bytes::Bytes;

const VERSION: u8 = 1;

/// The key of a rule follows from the rule: making it twice is writing one key. 128 bits of xxh3; two rules of one key, which only
/// somebody who may make rules could look for, would leave the first in force.
pub(super) fn acl_key(binding: &AclBinding) -> String {
    let hash = format!("{:032x}", xxhash_rust::xxh3::xxh3_128(&encode_acl(binding)));
    Key::Acl(&hash).encode()
}

/// Any name is a key in hexadecimal digits.
pub(super) fn scram_key(user: &str, mechanism: ScramMechanism) -> String {
    use std::fmt::Write;
    let mut place = String::with_capacity(2 * user.len() + 16);
    for byte in user.bytes() {
        let _ = write!(place, "{byte:02x}");
    }
    let _ = write!(place, "/{mechanism}");
    Key::Scram(&place).encode()
}

pub(super) fn token_key(id: &str) -> String {
    Key::Token(id).encode()
}

fn put_text(encoder: Encoder, text: &str) -> Encoder {
    put_bytes(encoder, text.as_bytes())
}

/// Length and bytes; the caller has checked that it is short.
fn put_bytes(encoder: Encoder, bytes: &[u8]) -> Encoder {
    let len = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    encoder.u16(len).bytes(&bytes[..usize::from(len)])
}

fn take_bytes(fields: &mut Decoder, max: usize, field: &'static str) -> Result<Bytes, DecodeError> {
    let len = usize::from(fields.u16()?);
    if len > max {
        return Err(DecodeError::Field(field));
    }
    fields.bytes(len)
}

fn take_text(fields: &mut Decoder, max: usize, field: &'static str) -> Result<String, DecodeError> {
    let bytes = take_bytes(fields, max, field)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| DecodeError::Field(field))?;
    Ok(text.to_owned())
}

fn take_code<T>(
    fields: &mut Decoder,
    from_code: fn(u8) -> Option<T>,
    field: &'static str,
) -> Result<T, DecodeError> {
    let code = fields.bytes(1)?;
    from_code(code[0]).ok_or(DecodeError::Field(field))
}

pub(super) fn encode_acl(binding: &AclBinding) -> Bytes {
    let codes = [
        binding.resource.code(),
        binding.pattern.code(),
        binding.operation.code(),
        binding.permission.code(),
    ];
    let encoder = Encoder::new(Kind::Acl, VERSION).bytes(&codes);
    let encoder = put_text(encoder, &binding.name);
    let encoder = put_text(encoder, &binding.principal);
    put_text(encoder, &binding.host).finish()
}

pub(super) fn decode_acl(value: &Bytes) -> Result<AclBinding, DecodeError> {
    let mut fields = Decoder::new(value, Kind::Acl, VERSION)?;
    let resource = take_code(&mut fields, ResourceType::from_code, "resource")?;
    let pattern = take_code(&mut fields, PatternType::from_code, "pattern")?;
    let operation = take_code(&mut fields, Operation::from_code, "operation")?;
    let permission = take_code(&mut fields, Permission::from_code, "permission")?;
    let binding = AclBinding {
        resource,
        pattern,
        name: take_text(&mut fields, ACL_TEXT_BYTES_MAX, "name")?,
        principal: take_text(&mut fields, ACL_TEXT_BYTES_MAX, "principal")?,
        host: take_text(&mut fields, ACL_TEXT_BYTES_MAX, "host")?,
        operation,
        permission,
    };
    fields.finish()?;
    Ok(binding)
}

pub(super) fn encode_scram(credential: &ScramCredential) -> Bytes {
    let encoder = Encoder::new(Kind::Scram, VERSION)
        .bytes(&[credential.mechanism.code()])
        .u32(credential.iterations);
    let encoder = put_text(encoder, &credential.user);
    let encoder = put_bytes(encoder, &credential.salt);
    encoder
        .bytes(&credential.stored_key)
        .bytes(&credential.server_key)
        .finish()
}

pub(super) fn decode_scram(value: &Bytes) -> Result<ScramCredential, DecodeError> {
    let mut fields = Decoder::new(value, Kind::Scram, VERSION)?;
    let mechanism = take_code(&mut fields, ScramMechanism::from_code, "mechanism")?;
    let iterations = fields.u32()?;
    let user = take_text(&mut fields, SCRAM_USER_BYTES_MAX, "user")?;
    let salt = take_bytes(&mut fields, SCRAM_SALT_BYTES_MAX, "salt")?;
    let credential = ScramCredential {
        user,
        mechanism,
        iterations,
        salt: salt.to_vec(),
        stored_key: fields.bytes(mechanism.key_bytes())?.to_vec(),
        server_key: fields.bytes(mechanism.key_bytes())?.to_vec(),
    };
    fields.finish()?;
    Ok(credential)
}

pub(super) fn encode_token(token: &DelegationToken) -> Bytes {
    let time = |ms: i64| ms.cast_unsigned();
    let encoder = Encoder::new(Kind::Token, VERSION)
        .u64(time(token.issued_ms))
        .u64(time(token.expires_ms))
        .u64(time(token.ends_ms));
    let encoder = put_text(encoder, &token.id);
    let encoder = put_text(encoder, &token.owner);
    let encoder = put_text(encoder, &token.requester);
    let count = u16::try_from(token.renewers.len()).unwrap_or(u16::MAX);
    let renewers = token.renewers.iter().take(usize::from(count));
    renewers
        .fold(encoder.u16(count), |encoder, renewer| put_text(encoder, renewer))
        .finish()
}

pub(super) fn decode_token(value: &Bytes) -> Result<DelegationToken, DecodeError> {
    let mut fields = Decoder::new(value, Kind::Token, VERSION)?;
    let mut times = [0; 3];
    for time in &mut times {
        *time = fields.u64()?.cast_signed();
    }
    let [issued_ms, expires_ms, ends_ms] = times;
    let id = take_text(&mut fields, TOKEN_ID_BYTES, "id")?;
    let owner = take_text(&mut fields, TOKEN_PRINCIPAL_BYTES_MAX, "owner")?;
    let requester = take_text(&mut fields, TOKEN_PRINCIPAL_BYTES_MAX, "requester")?;
    let count = usize::from(fields.u16()?);
    if count > TOKEN_RENEWERS_MAX {
        return Err(DecodeError::Field("renewers"));
    }
    let renewer = |_| take_text(&mut fields, TOKEN_PRINCIPAL_BYTES_MAX, "renewer");
    let renewers = (0..count).map(renewer).collect::<Result<Vec<_>, _>>()?;
    fields.finish()?;
    Ok(DelegationToken {
        id,
        owner,
        requester,
        renewers,
        issued_ms,
        expires_ms,
        ends_ms,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding() -> AclBinding {
        AclBinding {
            resource: ResourceType::Topic,
            pattern: PatternType::Prefixed,
            name: "t-".into(),
            principal: "User:alice".into(),
            host: "*".into(),
            operation: Operation::Read,
            permission: Permission::Allow,
        }
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn a_rule_has_its_golden_bytes_and_its_golden_key() {
        let value = encode_acl(&binding());
        assert_eq!(
            hex(&value),
            "4d6d0801020403030200742d0a00557365723a616c69636501002a98dad6a1"
        );
        assert_eq!(decode_acl(&value), Ok(binding()));
        let key = acl_key(&binding());
        assert_eq!(key.len(), "catalog/acl/".len() + 32);
        assert!(Key::parse_catalog(&key).is_some());
        let other = AclBinding {
            host: "::1".into(),
            ..binding()
        };
        assert_ne!(acl_key(&other), key);
    }

    #[test]
    fn keys_of_a_user_have_their_golden_bytes_and_are_never_printed() {
        let credential = ScramCredential {
            user: "ä b".into(),
            mechanism: ScramMechanism::Sha256,
            iterations: 4096,
            salt: vec![1, 2, 3],
            stored_key: vec![0xAA; 32],
            server_key: vec![0xBB; 32],
        };
        let value = encode_scram(&credential);
        let golden = format!(
            "4d6d090101001000000400c3a420620300010203{}{}c7a50629",
            "aa".repeat(32),
            "bb".repeat(32)
        );
        assert_eq!(hex(&value), golden);
        assert_eq!(decode_scram(&value), Ok(credential.clone()));
        let key = scram_key(&credential.user, credential.mechanism);
        assert_eq!(key, "catalog/scram/c3a42062/SCRAM-SHA-256");
        assert!(Key::parse_catalog(&key).is_some());
        let shown = format!("{credential:?}");
        assert!(!shown.contains("170") && !shown.contains("187"), "{shown}");
    }

    #[test]
    fn a_token_has_its_golden_bytes() {
        let token = DelegationToken {
            id: "AAAAAAAAAAAAAAAAAAAAAA".into(),
            owner: "User:a".into(),
            requester: "User:b".into(),
            renewers: vec!["User:c".into(), "User:d".into()],
            issued_ms: 1,
            expires_ms: 2,
            ends_ms: -1,
        };
        let value = encode_token(&token);
        assert_eq!(
            hex(&value),
            "4d6d0a0101000000000000000200000000000000ffffffffffffffff16004141414141414141414141414141\
             41414141414141410600557365723a610600557365723a6202000600557365723a630600557365723a6411ff\
             74ae"
        );
        assert_eq!(decode_token(&value), Ok(token));
    }

    #[test]
    fn damaged_records_are_refused_without_a_panic() {
        let value = encode_acl(&binding());
        for len in 0..value.len() {
            assert!(decode_acl(&value.slice(..len)).is_err());
        }
    }
}
