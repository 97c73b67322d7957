//! Addresses, URLs and paths.

use crate::data::ip::IpAddr;
use crate::data::url::{UrlView, is_within};
use crate::data::{path, url};
use crate::vm::entities::Entities;
use crate::vm::make::{Maker, reading};
use crate::vm::memory::Memory;
use crate::vm::ops::failed;
use crate::vm::value::Value;

/// Whether an address lies in a network.
#[inline]
pub fn ip_in_net(memory: Memory<'_>, ip: Value, net: Value) -> Value {
    match (ip, net) {
        (Value::Ip(ip), Value::Net(net)) => Value::Bool(memory.net(net).contains(memory.ip(ip))),
        _ => failed(&[ip, net]),
    }
}

/// Whether a network lies in another.
#[inline]
pub fn net_in_net(memory: Memory<'_>, inner: Value, outer: Value) -> Value {
    match (inner, outer) {
        (Value::Net(inner), Value::Net(outer)) => Value::Bool(memory.net(outer).contains_net(memory.net(inner))),
        _ => failed(&[inner, outer]),
    }
}

/// A test on an address.
#[inline]
pub fn ip_test(memory: Memory<'_>, ip: Value, test: fn(IpAddr) -> bool) -> Value {
    match ip {
        Value::Ip(ip) => Value::Bool(test(memory.ip(ip))),
        _ => failed(&[ip]),
    }
}

/// A part of a URL that is a text.
#[inline]
pub fn url_part<E: Entities>(maker: Maker<'_, E>, url: Value, part: fn(UrlView<'_>) -> Option<&str>) -> Value {
    let Value::Url(at) = url else { return failed(&[url]) };
    maker.text.clear();
    match part(reading(maker.image, maker.entities, maker.heap).url_view(at)) {
        Some(part) => maker.text.push_str(part),
        None => return Value::Absent,
    }
    maker.string()
}

/// The port, given or the scheme's own.
#[inline]
pub fn url_port(memory: Memory<'_>, url: Value) -> Value {
    match url {
        Value::Url(at) => {
            memory.url_view(at).effective_port().map_or(Value::Absent, |port| Value::Int(i64::from(port)))
        }
        _ => failed(&[url]),
    }
}

/// Whether a user name or password is given.
#[inline]
pub fn url_has_credentials(memory: Memory<'_>, url: Value) -> Value {
    match url {
        Value::Url(at) => Value::Bool(memory.url_view(at).has_credentials()),
        _ => failed(&[url]),
    }
}

/// The host, if it is an address.
#[inline]
pub fn url_host_address<E: Entities>(maker: Maker<'_, E>, url: Value) -> Value {
    let Value::Url(at) = url else { return failed(&[url]) };
    match maker.memory().url_view(at).ip() {
        Some(ip) => maker.ip(ip),
        None => Value::Absent,
    }
}

/// Whether a URL lies within another.
#[inline]
pub fn url_in_url(memory: Memory<'_>, inner: Value, outer: Value) -> Value {
    match (inner, outer) {
        (Value::Url(inner), Value::Url(outer)) => {
            Value::Bool(is_within(memory.url_view(inner), memory.url_view(outer)))
        }
        _ => failed(&[inner, outer]),
    }
}

/// Whether the host of a URL is a domain or below it.
#[inline]
pub fn url_host_in_domain(memory: Memory<'_>, url: Value, domain: Value) -> Value {
    match (url, domain) {
        (Value::Url(at), Value::String(domain)) => {
            Value::Bool(url::host_in_domain(memory.url_view(at).host(), memory.text(domain)))
        }
        _ => failed(&[url, domain]),
    }
}

/// The normalised text of a URL.
#[inline]
pub fn url_text(memory: Memory<'_>, url: Value) -> Value {
    match url {
        Value::Url(at) => Value::String(memory.url(at).text),
        _ => failed(&[url]),
    }
}

/// Whether a path is another or lies within it.
#[inline]
pub fn path_in_path(memory: Memory<'_>, inner: Value, outer: Value) -> Value {
    match (inner, outer) {
        (Value::Path(inner), Value::Path(outer)) => {
            Value::Bool(path::is_within(memory.text(inner), memory.text(outer)))
        }
        _ => failed(&[inner, outer]),
    }
}

/// A part of a path, as a string.
#[inline]
pub fn path_part<E: Entities>(maker: Maker<'_, E>, path: Value, part: fn(&str) -> Option<&str>) -> Value {
    let Value::Path(at) = path else { return failed(&[path]) };
    maker.text.clear();
    match part(reading(maker.image, maker.entities, maker.heap).text(at)) {
        Some(part) => maker.text.push_str(part),
        None => return Value::Absent,
    }
    maker.string()
}

/// The path without its last component.
#[inline]
pub fn path_parent<E: Entities>(maker: Maker<'_, E>, path: Value) -> Value {
    match path_part(maker, path, path::parent) {
        Value::String(parent) => Value::Path(parent),
        other => other,
    }
}

/// The normalised text of a path.
#[inline]
pub fn path_text(path: Value) -> Value {
    match path {
        Value::Path(text) => Value::String(text),
        _ => failed(&[path]),
    }
}

/// The number of components.
#[inline]
pub fn path_depth(memory: Memory<'_>, path: Value) -> Value {
    match path {
        Value::Path(text) => Value::Int(path::components(memory.text(text)).count() as i64),
        _ => failed(&[path]),
    }
}
