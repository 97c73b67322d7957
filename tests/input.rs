//! What comes in: JSON, requests, facts, entities; and the digests of it.

mod json;
