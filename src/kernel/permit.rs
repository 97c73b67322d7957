//! Permits: what an ALLOW leaves whoever acts with, instead of a word.
//!
//! A permit says what may run (the binding digest of the request), by which decision, bundle and registry, and until when.
//! It is written as a token, authenticated with a key that kernel and executors share or, for those who check without the
//! kernel, signed with Ed25519. It is good for one run: the kernel keeps what became of it as an object, whose state only
//! goes forward.
//!
//! ```text
//! issued ─▶ started ─▶ completed | failed | abandoned
//!    └─▶ expired
//! ```
//!
//! What neighbours may rely on: a [`Permit`] exists only if the kernel made it or a token was checked, and
//! [`Permit::covers`] tells whether it is for a request. A token that was changed in a single byte, or written in any other
//! way than the one, is no permit.
//!
//! ```compile_fail
//! use pdl::kernel::permit::Permit;
//!
//! // Nobody makes a permit by hand, not even of another one's claims.
//! fn again(permit: &Permit) -> Permit {
//!     Permit { claims: permit.claims().clone(), token: String::new() }
//! }
//! ```

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

mod state;
mod token;

pub use state::{PermitState, Standing, Step, StepRefused};
pub use token::{Issuer, MAC_KEY_BYTES_MIN, TokenRefused, Verifier};

use std::sync::Arc;

use crate::base::hash::Digest;
use crate::data::timestamp::Timestamp;

/// What a permit says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// Its id, `permit_…`.
    pub id: String,
    /// The id of the entry of the decision.
    pub decision: String,
    /// The action's name on the wire, for people and for executors that do one thing only.
    pub action: String,
    /// What exactly may run: the binding digest of the request.
    pub binding: Digest,
    /// The bundle that decided.
    pub bundle: Digest,
    /// The version of the registry that it was decided with.
    pub registry: u64,
    /// The gate whose approval it spends, if it needed one.
    pub gate: Option<String>,
    /// When it was issued.
    pub issued: Timestamp,
    /// From when on it can't be started.
    pub expires: Timestamp,
}

/// Leave to run one request once, until it expires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permit {
    // INVARIANT: the token was made of the claims by the kernel, or was checked.
    claims: Arc<Claims>,
    token: String,
}

impl Permit {
    /// What it says.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The same, for who has to have it longer.
    pub(super) fn claims_shared(&self) -> Arc<Claims> {
        Arc::clone(&self.claims)
    }

    /// The text that is handed to whoever acts.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Whether it is for the request of this binding, at this moment.
    #[must_use]
    pub fn covers(&self, binding: Digest, now: Timestamp) -> bool {
        self.claims.binding == binding && now < self.claims.expires
    }
}
