//! How things are called at the gateway: reversible, free of collisions, and decided without asking anybody.
//!
//! | what | RGW user |
//! |---|---|
//! | user, the owner of its buckets | `sk_<login>$user` |
//! | key that is not Full | `sk_<login>$key.<mark>` |
//! | record of a bucket | `sk_<login>$bucket.<name>` |
//! | who makes and configures buckets, for as long as that takes | `sk_<login>$provisioner` |
//! | record of a tenant | `sk$tenant.<name>` |
//!
//! RGW's tenants take letters, digits and `_` only, so a login is escaped. A mark is the uid of the AccessKey, the epoch
//! and the nonce, 36 bytes in base32. It is the id of a Full key too; any other key's id is its nonce.

use std::fmt::Write as _;

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const ID: &str = "SK";
const TENANT: &str = "sk_";
const RECORDS: &str = "sk";
const MARK_BYTES: usize = 36;
const NONCE_BYTES: usize = 16;

/// The uid of the RGW user that something is made as.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Uid {
    /// The owner of a login's buckets.
    User(String),
    /// Who uses a key of that login.
    Key(String, Mark),
    /// What is remembered of a bucket of that login.
    Bucket(String, String),
    /// Who makes and configures buckets of that login.
    Provisioner(String),
    /// What is remembered of a tenant.
    Tenant(String),
}

impl Uid {
    /// Reads a uid back; `None` where it is none of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let (tenant, name) = text.split_once('$')?;
        if tenant == RECORDS {
            return name.strip_prefix("tenant.").map(|name| Self::Tenant(name.to_owned()));
        }
        let login = login_of(tenant)?;
        match name.split_once('.') {
            None if name == "user" => Some(Self::User(login)),
            None if name == "provisioner" => Some(Self::Provisioner(login)),
            Some(("key", mark)) => Some(Self::Key(login, Mark::parse(mark)?)),
            Some(("bucket", bucket)) => Some(Self::Bucket(login, bucket.to_owned())),
            None | Some(_) => None,
        }
    }

    /// The login that it belongs to.
    pub fn login(&self) -> Option<&str> {
        match self {
            Self::User(login) | Self::Key(login, _) | Self::Bucket(login, _) | Self::Provisioner(login) => {
                Some(login)
            }
            Self::Tenant(_) => None,
        }
    }

    /// As the gateway has it: `tenant$name`.
    pub fn text(&self) -> String {
        match self {
            Self::User(login) => format!("{}$user", tenant_of(login)),
            Self::Key(login, mark) => format!("{}$key.{}", tenant_of(login), mark.text()),
            Self::Bucket(login, name) => format!("{}$bucket.{name}", tenant_of(login)),
            Self::Provisioner(login) => format!("{}$provisioner", tenant_of(login)),
            Self::Tenant(name) => format!("{RECORDS}$tenant.{name}"),
        }
    }
}

/// The RGW tenant of a login: each has one of its own, and nobody else has any that begins like it.
pub fn tenant_of(login: &str) -> String {
    let mut text = TENANT.to_owned();
    for byte in login.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => text.push(char::from(byte)),
            b'_' => text.push_str("__"),
            b'-' => text.push_str("_h"),
            b'.' => text.push_str("_p"),
            b'@' => text.push_str("_a"),
            // Writing to a text cannot fail.
            other => _ = write!(text, "_x{other:02x}"),
        }
    }
    text
}

/// The login of an RGW tenant; `None` where no login has that tenant.
pub fn login_of(tenant: &str) -> Option<String> {
    let mut rest = tenant.strip_prefix(TENANT)?.bytes();
    let mut login = Vec::new();
    while let Some(byte) = rest.next() {
        login.push(match byte {
            b'_' => match rest.next()? {
                b'_' => b'_',
                b'h' => b'-',
                b'p' => b'.',
                b'a' => b'@',
                b'x' => 16 * hex(rest.next()?)? + hex(rest.next()?)?,
                _ => return None,
            },
            byte => byte,
        });
    }
    let login = String::from_utf8(login).ok()?;
    // Of several spellings only one is ours.
    (!login.is_empty() && tenant_of(&login) == tenant).then_some(login)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Which attempt of which AccessKey a key belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mark {
    uid: u128,
    epoch: u32,
    nonce: u128,
}

impl Mark {
    /// The mark of an attempt; `None` unless the uid is a UUID as Kubernetes writes it and the nonce has 32 digits.
    pub fn of(uid: &str, epoch: u32, nonce: &str) -> Option<Self> {
        let mark = Self { uid: number(&uid.replace('-', ""))?, epoch, nonce: number(nonce)? };
        (mark.uid() == uid).then_some(mark)
    }

    /// The uid of the AccessKey.
    pub fn uid(&self) -> String {
        let digits = format!("{:032x}", self.uid);
        let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
        [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
    }

    /// The how-manieth key of its AccessKey it is.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// The attempt, 32 hexadecimal digits.
    pub fn nonce(&self) -> String {
        format!("{:032x}", self.nonce)
    }

    /// 58 of `A-Z2-7`.
    pub fn text(&self) -> String {
        let Self { uid, epoch, nonce } = self;
        base32(&[&uid.to_be_bytes()[..], &epoch.to_be_bytes(), &nonce.to_be_bytes()].concat())
    }

    fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; MARK_BYTES] = from_base32(text)?.try_into().ok()?;
        let (uid, rest) = bytes.split_first_chunk::<16>()?;
        let (epoch, nonce) = rest.split_first_chunk::<4>()?;
        Some(Self {
            uid: u128::from_be_bytes(*uid),
            epoch: u32::from_be_bytes(*epoch),
            nonce: u128::from_be_bytes(nonce.try_into().ok()?),
        })
    }

    /// The id of the key if it is Full, 60 characters: all that is known of such a key.
    pub fn full_id(&self) -> String {
        format!("{ID}{}", self.text())
    }

    /// The id of the key if it is not Full, 28 characters.
    pub fn id(&self) -> String {
        format!("{ID}{}", base32(&self.nonce.to_be_bytes()))
    }

    /// Whether that is the id of this attempt's key.
    pub fn has_id(&self, id: &KeyId) -> bool {
        match id {
            KeyId::Full(mark) => mark == self,
            KeyId::Other(nonce) => *nonce == self.nonce,
        }
    }
}

/// The id of a key of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyId {
    /// Of a Full key, which is one of the owner's.
    Full(Mark),
    /// Of another, by its nonce.
    Other(u128),
}

impl KeyId {
    /// Reads an access key id; `None` where it is none of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(ID)?;
        if let Some(mark) = Mark::parse(rest) {
            return Some(Self::Full(mark));
        }
        let nonce: [u8; NONCE_BYTES] = from_base32(rest)?.try_into().ok()?;
        Some(Self::Other(u128::from_be_bytes(nonce)))
    }
}

fn number(digits: &str) -> Option<u128> {
    let plain = digits.len() == 32 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    plain.then(|| u128::from_str_radix(digits, 16).ok()).flatten()
}

fn base32(bytes: &[u8]) -> String {
    let bit = |index: usize| bytes.get(index / 8).map_or(0, |byte| (byte >> (7 - index % 8)) & 1);
    let digit =
        |index: usize| (0..5).fold(0, |digit, offset| 2 * digit + usize::from(bit(5 * index + offset)));
    (0..(8 * bytes.len()).div_ceil(5))
        .filter_map(|index| ALPHABET.get(digit(index)).copied().map(char::from))
        .collect()
}

fn from_base32(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut held, mut bits) = (0_u32, 0);
    for byte in text.bytes() {
        let digit = ALPHABET.iter().position(|digit| *digit == byte)?;
        held = (held << 5 | u32::try_from(digit).ok()?) & 0xfff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits & 0xff).ok()?);
        }
    }
    (base32(&bytes) == text).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::{KeyId, Mark, Uid, login_of, tenant_of};
    use proptest::prelude::*;

    const UID: &str = "1b4e28ba-2fa1-11d2-883f-0016d3cca427";
    const NONCE: &str = "000102030405060708090a0b0c0d0e0f";

    #[test]
    fn an_rgw_tenant_says_the_login_that_it_is_of() {
        for (login, tenant) in [
            ("app", "sk_app"),
            ("team-a_app", "sk_team_ha__app"),
            ("a.b@c", "sk_a_pb_ac"),
            ("_h", "sk___h"),
            ("ä", "sk__xc3_xa4"),
        ] {
            assert_eq!(tenant_of(login), tenant);
            assert_eq!(login_of(tenant).as_deref(), Some(login));
        }
        for foreign in [
            "", "sk", "sk_", "acme", "sk_a_", "sk_a_q", "sk_a_x2", "sk_a_x41", "sk_a_xC3", "sk_a-b",
            "sk_a_xff",
        ] {
            assert_eq!(login_of(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn marks_need_a_uid_and_a_nonce_as_kubernetes_and_the_protocol_write_them() {
        assert!(Mark::of(UID, 1, NONCE).is_some());
        for (uid, nonce) in [
            (UID.to_uppercase().as_str(), NONCE),
            (&UID.replace('-', ""), NONCE),
            ("k-1", NONCE),
            (UID, "00ff"),
            (UID, &NONCE.to_uppercase()),
        ] {
            assert_eq!(Mark::of(uid, 1, nonce), None, "{uid} {nonce}");
        }
    }

    #[test]
    fn ids_of_others_are_not_ours() {
        for id in ["", "SK", "AKIAIOSFODNN7EXAMPLE", "SKABCDEFGHIJKLMNOPQR", "GK31c2f218a2e44f485b94239e"] {
            assert_eq!(KeyId::parse(id), None, "{id}");
        }
    }

    proptest! {
        #[test]
        fn every_login_has_a_tenant_of_its_own(one in any::<String>(), other in "[A-Za-z0-9._@-]{0,12}") {
            for login in [&one, &other] {
                let tenant = tenant_of(login);
                prop_assert!(tenant.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
                prop_assert_eq!(login_of(&tenant), (!login.is_empty()).then(|| login.clone()));
            }
        }

        #[test]
        fn a_tenant_is_read_as_at_most_one_login(tenant in "sk_[a-c0-2_hpax]{0,12}") {
            if let Some(login) = login_of(&tenant) {
                prop_assert_eq!(tenant_of(&login), tenant);
            }
        }

        #[test]
        fn marks_are_read_back_from_uids_and_ids(uid in any::<u128>(), epoch in any::<u32>(), nonce in any::<u128>(), login in "[A-Za-z0-9._@-]{1,20}") {
            let mark = Mark { uid, epoch, nonce };
            prop_assert_eq!(Mark::of(&mark.uid(), mark.epoch(), &mark.nonce()), Some(mark));
            prop_assert_eq!((mark.full_id().len(), mark.id().len()), (60, 28));
            prop_assert_eq!(KeyId::parse(&mark.full_id()), Some(KeyId::Full(mark)));
            prop_assert_eq!(KeyId::parse(&mark.id()), Some(KeyId::Other(nonce)));
            for uid in [
                Uid::User(login.clone()),
                Uid::Key(login.clone(), mark),
                Uid::Bucket(login.clone(), "data.x".to_owned()),
                Uid::Provisioner(login.clone()),
                Uid::Tenant("acme.eu".to_owned()),
            ] {
                prop_assert_eq!(Uid::parse(&uid.text()), Some(uid));
            }
        }

        #[test]
        fn a_foreign_text_is_no_uid_of_ours_unless_it_is_spelled_as_ours(text in "(sk|sk_a|acme)\\$(user|key|bucket|tenant)?[.]?[A-Z2-7a-z.]{0,60}") {
            if let Some(uid) = Uid::parse(&text) {
                prop_assert_eq!(uid.text(), text);
            }
        }
    }
}
