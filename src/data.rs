//! The scalar values of the language: one meaning for the checker, the machine, the reference evaluator and the
//! analysis alike.
//!
//! | module | type | is | limit |
//! | --- | --- | --- | --- |
//! | [`arithmetic`] | `Int` | a 64-bit integer, checked | ±2⁶³ |
//! | [`decimal`] | [`decimal::Decimal`] | a count of 10⁻⁶, checked, never rounded | ±9.2·10¹² |
//! | [`duration`] | [`duration::Duration`] | a count of milliseconds | ±2⁶³ ms |
//! | [`timestamp`] | [`timestamp::Timestamp`] | milliseconds since the epoch, RFC 3339 | years 0000 to 9999 |
//! | [`ip`] | [`ip::IpAddr`], [`ip::IpNet`] | an Internet address, a block of them; RFC 4291, 5952 | 32 or 128 bits |
//! | [`path`] | [`path::Path`] | an absolute POSIX path, normalised | 4,096 bytes |
//! | [`url`] | [`url::Url`] | an absolute URL with a host, normalised; WHATWG, strictly | 8,192 bytes |
//! | [`pattern`] | [`pattern::Pattern`] | a glob or a regular expression, whole text, linear time | 4,096 bytes, automaton 2 MiB |
//!
//! Every type is read strictly: what is not certainly of it is an error, a small `Copy` value, and nothing here
//! panics on input. What is equal has the same canonical text (`Display`), and canonical text reads back as the
//! same value. Beside the types, [`similar`] finds the name that a misspelt one was meant to be.
//!
//! This layer knows nothing of sources, types, bytecode or requests.

pub mod arithmetic;
pub mod decimal;
pub mod duration;
pub mod ip;
pub mod path;
pub mod pattern;
pub mod similar;
pub mod timestamp;
pub mod url;
