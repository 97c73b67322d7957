//! The text of a permit: `pdlp1.PAYLOAD.TAG` with an HMAC-SHA256, `pdlp1e.PAYLOAD.TAG` with an Ed25519 signature, both over
//! everything before the second dot. Payload and tag are base64url without padding, the payload is canonical JSON.

use std::fmt;
use std::sync::Arc;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use sha2::Sha256;

use super::{Claims, Permit};
use crate::base::hash::Digest;
use crate::base::limits::PERMIT_BYTES_MAX;
use crate::base::text::{Pieces, Text, pairs};
use crate::data::timestamp::Timestamp;
use crate::kernel::json::object::Object;
use crate::vm::canonical::push_number;

const MAC_SCHEME: &str = "pdlp1";
const SIGNED_SCHEME: &str = "pdlp1e";
/// Room for most payloads, so that they need not grow.
const PAYLOAD_BYTES_USUAL: usize = 512;
/// The same of most tokens.
const TOKEN_BYTES_USUAL: usize = 768;
/// The shortest key that kernel and executors may share, in bytes.
pub const MAC_KEY_BYTES_MIN: usize = 32;

/// Why a text is no permit. It says little on purpose: whoever made it up should not learn how to do better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenRefused {
    /// Not written as permits are.
    Malformed,
    /// Not made with a key that is known here.
    NotAuthentic,
}

impl fmt::Display for TokenRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TokenRefused::Malformed => "it is not written as permits are",
            TokenRefused::NotAuthentic => "it was not made with a key that is known here",
        })
    }
}

impl std::error::Error for TokenRefused {}

/// Who makes permits.
pub struct Issuer {
    key: IssuingKey,
    /// What it signs with where it is asked to, if the key is a shared one.
    on_demand: Option<Box<SigningKey>>,
}

enum IssuingKey {
    Shared(Box<SharedKey>),
    Signing(Box<SigningKey>),
}

/// HMAC with the key taken in: what is the same for every token is done once.
type SharedKey = Hmac<Sha256>;

fn take_in(key: &[u8]) -> Option<Box<SharedKey>> {
    if key.len() < MAC_KEY_BYTES_MIN {
        return None;
    }
    SharedKey::new_from_slice(key).ok().map(Box::new)
}

/// Keys are never shown.
impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.key {
            IssuingKey::Shared(_) => "Issuer(shared key)",
            IssuingKey::Signing(_) => "Issuer(signing key)",
        })
    }
}

impl Issuer {
    /// With a key that executors have too: cheap, and only between those who trust each other with making permits.
    ///
    /// `None` if the key has less than [`MAC_KEY_BYTES_MIN`] bytes.
    #[must_use]
    pub fn shared(key: &[u8]) -> Option<Issuer> {
        take_in(key).map(|key| Issuer { key: IssuingKey::Shared(key), on_demand: None })
    }

    /// With a key that only the kernel has: executors check with its public half, and need nobody to ask.
    #[must_use]
    pub fn signing(key: SigningKey) -> Issuer {
        Issuer { key: IssuingKey::Signing(Box::new(key)), on_demand: None }
    }

    /// The same, which also signs what it has made, where somebody asks for that
    /// ([`Kernel::signed`](crate::kernel::Kernel::signed)): most permits are cheap, and those for who checks them without the
    /// kernel are signed.
    #[must_use]
    pub fn signing_on_demand(self, key: SigningKey) -> Issuer {
        Issuer { on_demand: Some(Box::new(key)), ..self }
    }

    /// Who checks what this one makes.
    #[must_use]
    pub fn verifier(&self) -> Verifier {
        let key = match &self.key {
            IssuingKey::Shared(key) => VerifyingSide::Shared(key.clone()),
            IssuingKey::Signing(key) => VerifyingSide::Public(key.verifying_key()),
        };
        Verifier { key, on_demand: self.on_demand.as_ref().map(|key| key.verifying_key()) }
    }

    /// A permit of these claims. Only the kernel issues, and only what a decision allowed.
    pub(crate) fn issue(&self, claims: Claims) -> Permit {
        let token = match &self.key {
            IssuingKey::Shared(key) => {
                let token = untagged(MAC_SCHEME, &claims);
                let tag = mac(key, token.as_bytes()).finalize().into_bytes();
                tagged(token, &tag)
            }
            IssuingKey::Signing(key) => signed(key, &claims),
        };
        Permit { claims: Arc::new(claims), token }
    }

    /// The same permit with a signature; none if there is no key for that.
    pub(crate) fn sign(&self, permit: &Permit) -> Option<Permit> {
        let key = match &self.key {
            IssuingKey::Shared(_) => self.on_demand.as_deref()?,
            IssuingKey::Signing(key) => key,
        };
        Some(Permit { token: signed(key, permit.claims()), claims: permit.claims_shared() })
    }
}

fn untagged(scheme: &str, claims: &Claims) -> Text {
    let mut token = Text::with_room(TOKEN_BYTES_USUAL);
    token.push_str(scheme);
    token.push('.');
    push_base64(&mut token, &payload(claims));
    token
}

fn tagged(mut token: Text, tag: &[u8]) -> String {
    token.push('.');
    push_base64(&mut token, tag);
    String::from_utf8(token.into_bytes()).unwrap_or_default()
}

fn signed(key: &SigningKey, claims: &Claims) -> String {
    let token = untagged(SIGNED_SCHEME, claims);
    let tag = key.sign(token.as_bytes()).to_bytes();
    tagged(token, &tag)
}

/// Who checks permits.
#[derive(Clone)]
pub struct Verifier {
    key: VerifyingSide,
    /// What is signed on demand by who has the shared key.
    on_demand: Option<VerifyingKey>,
}

#[derive(Clone)]
enum VerifyingSide {
    Shared(Box<SharedKey>),
    Public(VerifyingKey),
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.key {
            VerifyingSide::Shared(_) => "Verifier(shared key)",
            VerifyingSide::Public(_) => "Verifier(public key)",
        })
    }
}

impl Verifier {
    /// With the key that the kernel has too. `None` if it has less than [`MAC_KEY_BYTES_MIN`] bytes.
    #[must_use]
    pub fn shared(key: &[u8]) -> Option<Verifier> {
        take_in(key).map(|key| Verifier { key: VerifyingSide::Shared(key), on_demand: None })
    }

    /// With the public half of the kernel's key.
    #[must_use]
    pub fn public(key: VerifyingKey) -> Verifier {
        Verifier { key: VerifyingSide::Public(key), on_demand: None }
    }

    /// The permit of a text. Whether it is still good, and for what, is for [`Permit::covers`]; whether it was used before
    /// only the kernel knows.
    ///
    /// # Errors
    /// The text is no permit of whoever has the key.
    pub fn check(&self, token: &str) -> Result<Permit, TokenRefused> {
        if token.len() > PERMIT_BYTES_MAX {
            return Err(TokenRefused::Malformed);
        }
        let (text, tag) = token.rsplit_once('.').ok_or(TokenRefused::Malformed)?;
        let (scheme, payload) = text.split_once('.').ok_or(TokenRefused::Malformed)?;
        let tag = Base64UrlUnpadded::decode_vec(tag).map_err(|_| TokenRefused::Malformed)?;
        // Authentic first: nothing that somebody made up is looked into.
        let public = match &self.key {
            VerifyingSide::Public(key) => Some(key),
            VerifyingSide::Shared(_) => self.on_demand.as_ref(),
        };
        match (&self.key, scheme) {
            (VerifyingSide::Shared(key), MAC_SCHEME) => {
                // In constant time.
                mac(key, text.as_bytes()).verify_slice(&tag).map_err(|_| TokenRefused::NotAuthentic)?;
            }
            (_, SIGNED_SCHEME) => {
                let key = public.ok_or(TokenRefused::NotAuthentic)?;
                let tag = Signature::from_slice(&tag).map_err(|_| TokenRefused::NotAuthentic)?;
                key.verify_strict(text.as_bytes(), &tag).map_err(|_| TokenRefused::NotAuthentic)?;
            }
            (VerifyingSide::Public(_), MAC_SCHEME) => return Err(TokenRefused::NotAuthentic),
            _ => return Err(TokenRefused::Malformed),
        }
        let bytes = Base64UrlUnpadded::decode_vec(payload).map_err(|_| TokenRefused::Malformed)?;
        let claims = from_json(&bytes).ok_or(TokenRefused::Malformed)?;
        Ok(Permit { claims: Arc::new(claims), token: token.to_owned() })
    }
}

/// Appends bytes in base64url without padding. Nothing of a token is a secret from whoever holds it, so this need not take
/// the same time for all bytes, as keys would.
fn push_base64(out: &mut impl Pieces, bytes: &[u8]) {
    /// As many digits as are appended at once, eight for six bytes.
    const ROOM: usize = 256;
    const PART: usize = ROOM / 8 * 6;
    let digits = |bits: u64| PAIRS.get((bits & 4_095) as usize).copied().unwrap_or_default();
    for part in bytes.chunks(PART) {
        let mut room = [0; ROOM];
        let (sixes, rest) = part.as_chunks::<6>();
        let mut last = [0; 6];
        last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        for (&[a, b, c, d, e, f], place) in sixes.iter().chain([&last]).zip(room.as_chunks_mut::<8>().0) {
            let bits = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
            let [[a, b], [c, d], [e, f], [g, h]] = [bits >> 36, bits >> 24, bits >> 12, bits].map(digits);
            *place = [a, b, c, d, e, f, g, h];
        }
        let used = part.len().saturating_mul(4).div_ceil(3);
        out.push_ascii(room.get(..used).unwrap_or_default());
    }
}

/// The two digits of each twelve bits.
static PAIRS: [[u8; 2]; 4_096] = pairs(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

fn mac(key: &SharedKey, text: &[u8]) -> SharedKey {
    key.clone().chain_update(text)
}

/// The payload: the members in the order of their names.
fn payload(claims: &Claims) -> Vec<u8> {
    let Claims { id, decision, action, binding, bundle, registry, gate, issued, expires } = claims;
    let mut out = Text::with_room(PAYLOAD_BYTES_USUAL);
    let mut members = Object::new(&mut out);
    members.text("action", action);
    members.digest("binding", binding);
    members.digest("bundle", bundle);
    members.text("decision", decision);
    members.time("expires", *expires);
    if let Some(gate) = gate {
        members.text("gate", gate);
    }
    members.text("id", id);
    members.time("issued", *issued);
    let quoted = members.member("registry");
    quoted.push('"');
    push_number(quoted, *registry);
    quoted.push('"');
    members.end();
    out.into_bytes()
}

/// As it is written in a token.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    id: String,
    decision: String,
    action: String,
    binding: String,
    bundle: String,
    registry: String,
    issued: String,
    expires: String,
    gate: Option<String>,
}

/// The claims of a payload; none if it is not written in the one way.
fn from_json(bytes: &[u8]) -> Option<Claims> {
    let Payload { id, decision, action, binding, bundle, registry, issued, expires, gate } =
        serde_json::from_slice(bytes).ok()?;
    let claims = Claims {
        id,
        decision,
        action,
        binding: Digest::parse(&binding)?,
        bundle: Digest::parse(&bundle)?,
        registry: registry.parse().ok()?,
        gate,
        issued: Timestamp::parse(&issued).ok()?,
        expires: Timestamp::parse(&expires).ok()?,
    };
    (payload(&claims) == bytes).then_some(claims)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::json::scan;

    fn claims() -> Claims {
        Claims {
            id: "permit_01JD3Q8Z0000000000000000AB".to_owned(),
            decision: "ent_01JD3Q8Z0000000000000000AA".to_owned(),
            action: "deploy".to_owned(),
            binding: Digest::of(b"binding"),
            bundle: Digest::of(b"bundle"),
            registry: 17,
            gate: None,
            issued: Timestamp::parse("2026-11-20T10:00:00Z").expect("it is a time"),
            expires: Timestamp::parse("2026-11-20T10:05:00Z").expect("it is a time"),
        }
    }

    fn pairs() -> Vec<(Issuer, Verifier)> {
        let key = SigningKey::from_bytes(&[7; 32]);
        vec![
            (
                Issuer::shared(&[1; 32]).expect("it is long enough"),
                Verifier::shared(&[1; 32]).expect("it is long enough"),
            ),
            (Issuer::signing(key.clone()), Verifier::public(key.verifying_key())),
        ]
    }

    #[test]
    fn what_is_issued_is_taken() {
        for (issuer, verifier) in pairs() {
            for claims in [claims(), Claims { gate: Some("gate_x".to_owned()), ..claims() }] {
                let permit = issuer.issue(claims.clone());
                assert_eq!(verifier.check(permit.token()), Ok(permit.clone()));
                assert_eq!(permit.claims(), &claims);
                let at = |time| Timestamp::parse(time).expect("it is a time");
                assert!(permit.covers(claims.binding, at("2026-11-20T10:04:59.999Z")));
                assert!(!permit.covers(claims.binding, claims.expires));
                assert!(!permit.covers(Digest::of(b"another"), claims.issued));
            }
        }
    }

    #[test]
    fn what_was_changed_is_refused() {
        for (issuer, verifier) in pairs() {
            let permit = issuer.issue(claims());
            let token = permit.token();
            // Every part of it is met; a signature takes its time.
            for at in (0..token.len()).step_by(7) {
                let mut bytes = token.as_bytes().to_vec();
                bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
                let changed = String::from_utf8(bytes).expect("it is text");
                assert!(verifier.check(&changed).is_err(), "{changed}");
                assert!(verifier.check(&token[..at]).is_err());
            }
            for changed in [format!("{token}A"), format!(" {token}"), format!("{token}="), String::new(), ".".repeat(9)]
            {
                assert!(verifier.check(&changed).is_err(), "{changed}");
            }
            assert_eq!(verifier.check(&"a".repeat(PERMIT_BYTES_MAX + 1)), Err(TokenRefused::Malformed));
        }
    }

    #[test]
    fn keys_of_others_are_not_known() {
        let [(shared, shared_check), (signed, signed_check)] = <[_; 2]>::try_from(pairs()).expect("there are two");
        let (by_shared, by_signed) = (shared.issue(claims()), signed.issue(claims()));
        assert_eq!(shared_check.check(by_signed.token()), Err(TokenRefused::NotAuthentic));
        assert_eq!(signed_check.check(by_shared.token()), Err(TokenRefused::NotAuthentic));
        let other = Verifier::shared(&[2; 32]).expect("it is long enough");
        assert_eq!(other.check(by_shared.token()), Err(TokenRefused::NotAuthentic));
        let other = Verifier::public(SigningKey::from_bytes(&[8; 32]).verifying_key());
        assert_eq!(other.check(by_signed.token()), Err(TokenRefused::NotAuthentic));
        assert!(Issuer::shared(&[1; MAC_KEY_BYTES_MIN - 1]).is_none());
        assert!(Verifier::shared(&[1; MAC_KEY_BYTES_MIN - 1]).is_none());
    }

    #[test]
    fn what_is_signed_on_demand_is_the_same_permit() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let plain = || Issuer::shared(&[1; 32]).expect("it is long enough");
        let issuer = plain().signing_on_demand(key.clone());
        let permit = issuer.issue(claims());
        let signed = issuer.sign(&permit).expect("there is a key");
        assert_eq!((signed.claims(), plain().sign(&permit)), (permit.claims(), None));
        // Who has the public half takes the one, who has the shared key the other, and the kernel both.
        let (kernel, public) = (issuer.verifier(), Verifier::public(key.verifying_key()));
        assert_eq!(
            (kernel.check(permit.token()), kernel.check(signed.token())),
            (Ok(permit.clone()), Ok(signed.clone()))
        );
        assert_eq!(public.check(signed.token()), Ok(signed.clone()));
        assert_eq!(public.check(permit.token()), Err(TokenRefused::NotAuthentic));
        assert_eq!(plain().verifier().check(signed.token()), Err(TokenRefused::NotAuthentic));
        let other = plain().signing_on_demand(SigningKey::from_bytes(&[8; 32]));
        assert_eq!(other.verifier().check(signed.token()), Err(TokenRefused::NotAuthentic));
        let always = Issuer::signing(key);
        assert_eq!(always.sign(&always.issue(claims())), Some(signed));
    }

    #[test]
    fn a_payload_is_written_in_one_way() {
        let text = String::from_utf8(payload(&claims())).expect("it is text");
        assert_eq!(scan::check(&text), Ok(()));
        let with_gate = String::from_utf8(payload(&Claims { gate: Some("gate_\"x\"".to_owned()), ..claims() }));
        let with_gate = with_gate.expect("it is text");
        assert_eq!(scan::check(&with_gate), Ok(()));
        assert!(with_gate.contains(",\"gate\":\"gate_\\\"x\\\"\","), "{with_gate}");
        assert_eq!(from_json(text.as_bytes()), Some(claims()));
        for other in [
            text.replace("\"registry\":\"17\"", "\"registry\":\"017\""),
            text.replace(",\"binding\"", ", \"binding\""),
            text.replace("10:00:00Z", "10:00:00.000Z"),
            text.replace('}', ",\"x\":1}"),
            text.replace("\"action\":\"deploy\",", ""),
        ] {
            assert_ne!(other, text);
            assert_eq!(from_json(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn base64_is_as_of_others() {
        let bytes: Vec<u8> = (0..=255).cycle().take(1_000).map(|byte: u8| byte.wrapping_mul(37)).collect();
        for length in (0..20).chain(185..200).chain([1_000]) {
            let mut out = ".".to_owned();
            push_base64(&mut out, &bytes[..length]);
            assert_eq!(out, format!(".{}", Base64UrlUnpadded::encode_string(&bytes[..length])), "{length}");
        }
    }

    #[test]
    fn keys_are_not_shown() {
        for (issuer, verifier) in pairs() {
            assert!(!format!("{issuer:?}{verifier:?}").contains('['));
        }
    }
}
