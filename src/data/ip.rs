//! Addresses and networks: the types; operations follow.

/// An IPv4 or IPv6 address; an IPv4-mapped IPv6 address is the IPv4 one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IpAddr {
    /// Whether it is IPv6.
    pub v6: bool,
    /// The number; of IPv4 the low 32 bits.
    pub bits: u128,
}

/// A network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IpNet {
    /// The address, host bits zero.
    pub addr: IpAddr,
    /// The prefix length.
    pub prefix: u8,
}
