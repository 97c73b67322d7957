//! `IpAddr` and `IpNet`: Internet addresses, and blocks of them in CIDR notation.
//!
//! | | |
//! | --- | --- |
//! | text | IPv4: four decimal numbers without leading zeros. IPv6: RFC 4291, section 2.2, without a zone id |
//! | canonical text | RFC 5952: lower case, the longest run of zeros as `::` |
//! | block | `address/prefix`; bits set beyond the prefix are an error, a bare address is not a block |
//!
//! An IPv4 address written as IPv6 (`::ffff:10.0.0.1`) **is** that IPv4 address here: it is normalised when read, so
//! that neither a list of allowed nor one of refused addresses can be dodged by the spelling. Other embeddings
//! (6to4, NAT64, Teredo) stay IPv6; none of them is [global](IpAddr::is_global). A block holds addresses of its own
//! family only: `::/0` has no IPv4 address in it.
//!
//! Octal, hexadecimal and short forms (`0177.0.0.1`, `0x7f.1`, `2130706433`), which some resolvers take for
//! `127.0.0.1`, are refused. No function here allocates.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// An IPv4 or IPv6 address. IPv4 addresses sort before IPv6 ones.
//
// INVARIANT: an IPv4 address has its upper 96 bits zero; an IPv6 address is not in ::ffff:0:0/96.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IpAddr {
    v6: bool,
    bits: u128,
}

/// A block of addresses that share their first `prefix` bits.
//
// INVARIANT: the prefix is at most the width of the family, and no bit beyond it is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IpNet {
    address: IpAddr,
    prefix: u8,
}

/// Why a text is not an address or a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IpError {
    /// The address is not in one of the accepted forms.
    Address,
    /// The prefix is missing, not a decimal number, or wider than the address.
    Prefix,
    /// The block's address has bits set beyond the prefix, as in `10.0.0.1/8`.
    HostBits,
}

impl fmt::Display for IpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            IpError::Address => "not an IP address",
            IpError::Prefix => "not a block of addresses of the form `10.0.0.0/8`",
            IpError::HostBits => "the address has bits set beyond the prefix of the block",
        })
    }
}

impl std::error::Error for IpError {}

/// The high 96 bits of the IPv6 form of an IPv4 address, as a number.
const MAPPED: u128 = 0xffff;

impl IpAddr {
    /// The IPv4 address with these bits, the first number in the highest eight.
    #[inline]
    pub const fn from_v4_bits(bits: u32) -> IpAddr {
        IpAddr { v6: false, bits: bits as u128 }
    }

    /// The address with these 128 bits; one of `::ffff:0:0/96` becomes the IPv4 address that it is.
    #[inline]
    pub const fn from_v6_bits(bits: u128) -> IpAddr {
        if bits >> 32 == MAPPED { IpAddr::from_v4_bits(bits as u32) } else { IpAddr { v6: true, bits } }
    }

    /// The address of that family with these bits, if it is the one form of it that exists here: what `is_v6` and
    /// `bits` gave. For those who store addresses.
    pub const fn from_parts(v6: bool, bits: u128) -> Option<IpAddr> {
        match (v6, bits >> 32) {
            (true, MAPPED) => None,
            (true, _) | (false, 0) => Some(IpAddr { v6, bits }),
            (false, _) => None,
        }
    }

    /// Reads an address.
    pub fn parse(text: &str) -> Result<IpAddr, IpError> {
        if text.contains(':') {
            let address: Ipv6Addr = text.parse().map_err(|_| IpError::Address)?;
            Ok(IpAddr::from_v6_bits(address.to_bits()))
        } else {
            let address: Ipv4Addr = text.parse().map_err(|_| IpError::Address)?;
            Ok(IpAddr::from_v4_bits(address.to_bits()))
        }
    }

    /// Whether this is an IPv6 address.
    #[inline]
    pub const fn is_v6(self) -> bool {
        self.v6
    }

    /// The bits: 128 of them, or the lowest 32 for IPv4.
    #[inline]
    pub const fn bits(self) -> u128 {
        self.bits
    }

    /// How many bits an address of this family has: 32 or 128.
    #[inline]
    pub const fn width(self) -> u8 {
        if self.v6 { 128 } else { 32 }
    }

    /// The host itself: `127.0.0.0/8`, `::1`.
    pub const fn is_loopback(self) -> bool {
        if self.v6 { self.bits == 1 } else { self.bits >> 24 == 127 }
    }

    /// Private use: `10.0.0.0/8`, `172.16.0.0/12`, `192.168.0.0/16` (RFC 1918), `fc00::/7` (RFC 4193).
    pub const fn is_private(self) -> bool {
        if self.v6 {
            self.bits >> 121 == 0xfc00 >> 9
        } else {
            self.bits >> 24 == 10 || self.bits >> 20 == 0xac1 || self.bits >> 16 == 0xc0a8
        }
    }

    /// One link: `169.254.0.0/16` (RFC 3927; cloud metadata services are here), `fe80::/10` (RFC 4291).
    pub const fn is_link_local(self) -> bool {
        if self.v6 { self.bits >> 118 == 0xfe80 >> 6 } else { self.bits >> 16 == 0xa9fe }
    }

    /// Many hosts: `224.0.0.0/4` (RFC 5771), `ff00::/8` (RFC 4291).
    pub const fn is_multicast(self) -> bool {
        if self.v6 { self.bits >> 120 == 0xff } else { self.bits >> 28 == 0xe }
    }

    /// No address: `0.0.0.0`, `::`.
    pub const fn is_unspecified(self) -> bool {
        self.bits == 0
    }

    /// An ordinary address of the public Internet: a unicast address that no special-purpose registry lists
    /// (RFC 6890 and the registries of IANA that it set up, which also hold later entries).
    ///
    /// Not global are, in IPv4: `0.0.0.0/8`, `10.0.0.0/8`, `100.64.0.0/10`, `127.0.0.0/8`, `169.254.0.0/16`,
    /// `172.16.0.0/12`, `192.0.0.0/24`, `192.0.2.0/24`, `192.31.196.0/24`, `192.52.193.0/24`, `192.88.99.0/24`,
    /// `192.168.0.0/16`, `192.175.48.0/24`, `198.18.0.0/15`, `198.51.100.0/24`, `203.0.113.0/24`, and all from
    /// `224.0.0.0` on (multicast, reserved, broadcast).
    ///
    /// In IPv6: everything outside `2000::/3` (so `::/96`, `64:ff9b::/96`, `64:ff9b:1::/48`, `100::/64`, `5f00::/16`,
    /// `fc00::/7`, `fe80::/10`, `fec0::/10`, `ff00::/8`), and `2001::/23`, `2001:db8::/32`, `2002::/16`,
    /// `2620:4f:8000::/48`, `3fff::/20`.
    ///
    /// Some listed blocks can be reached from everywhere (NAT64, 6to4, AS112); they are not global here, since they
    /// lead to hosts that the address does not name.
    pub const fn is_global(self) -> bool {
        if self.v6 {
            self.bits >> 125 == 1 && !listed(&SPECIAL_V6, self.bits, 128)
        } else {
            self.bits >> 29 != 7 && !listed(&SPECIAL_V4, self.bits, 32)
        }
    }
}

/// The special-purpose blocks below `224.0.0.0`: first address, prefix. Those and all from there on are not global.
pub const SPECIAL_V4: [(u128, u8); 16] = [
    (0x00_00_00_00, 8),
    (0x0a_00_00_00, 8),
    (0x64_40_00_00, 10),
    (0x7f_00_00_00, 8),
    (0xa9_fe_00_00, 16),
    (0xac_10_00_00, 12),
    (0xc0_00_00_00, 24),
    (0xc0_00_02_00, 24),
    (0xc0_1f_c4_00, 24),
    (0xc0_34_c1_00, 24),
    (0xc0_58_63_00, 24),
    (0xc0_a8_00_00, 16),
    (0xc0_af_30_00, 24),
    (0xc6_12_00_00, 15),
    (0xc6_33_64_00, 24),
    (0xcb_00_71_00, 24),
];

/// The special-purpose blocks of `2000::/3`: first address, prefix. Those and all outside are not global.
pub const SPECIAL_V6: [(u128, u8); 5] = [
    (0x2001 << 112, 23),
    (0x2001_0db8 << 96, 32),
    (0x2002 << 112, 16),
    (0x2620_004f_8000 << 80, 48),
    (0x3fff << 112, 20),
];

const fn listed(blocks: &[(u128, u8)], bits: u128, width: u8) -> bool {
    let mut at = 0;
    while at < blocks.len() {
        let (first, prefix) = blocks[at];
        if (bits ^ first) >> (width - prefix) == 0 {
            return true;
        }
        at += 1;
    }
    false
}

impl IpNet {
    /// The block of the addresses that share the first `prefix` bits of `address`.
    pub fn new(address: IpAddr, prefix: u8) -> Result<IpNet, IpError> {
        if prefix > address.width() {
            return Err(IpError::Prefix);
        }
        if host_bits(address.bits, address.width() - prefix) != 0 {
            return Err(IpError::HostBits);
        }
        Ok(IpNet { address, prefix })
    }

    /// Reads a block: `10.0.0.0/8`, `2001:db8::/32`. The prefix has no leading zeros.
    ///
    /// A block within `::ffff:0:0/96` is the IPv4 block that it is.
    pub fn parse(text: &str) -> Result<IpNet, IpError> {
        let (address_text, prefix) = text.split_once('/').ok_or(IpError::Prefix)?;
        let address = IpAddr::parse(address_text)?;
        let prefix: u8 = match prefix.as_bytes() {
            [b'0'] => 0,
            [b'1'..=b'9', rest @ ..] if rest.iter().all(u8::is_ascii_digit) => {
                prefix.parse().map_err(|_| IpError::Prefix)?
            }
            _ => return Err(IpError::Prefix),
        };
        let mapped = !address.v6 && address_text.contains(':');
        match prefix.checked_sub(96) {
            Some(prefix) if mapped => IpNet::new(address, prefix),
            // The bits of ::ffff:0:0/96 are themselves beyond so short a prefix.
            None if mapped => Err(IpError::HostBits),
            _ => IpNet::new(address, prefix),
        }
    }

    /// The first address of the block.
    #[inline]
    pub const fn address(self) -> IpAddr {
        self.address
    }

    /// How many bits the addresses of the block share.
    #[inline]
    pub const fn prefix(self) -> u8 {
        self.prefix
    }

    /// The last address of the block.
    #[inline]
    pub const fn last(self) -> IpAddr {
        let free = self.address.width() - self.prefix;
        IpAddr { v6: self.address.v6, bits: self.address.bits | host_bits(u128::MAX, free) }
    }

    /// Whether the address is in the block. One of the other family never is.
    #[inline]
    pub const fn contains(self, address: IpAddr) -> bool {
        let free = self.address.width() - self.prefix;
        self.address.v6 == address.v6 && (self.address.bits ^ address.bits) == host_bits(address.bits, free)
    }

    /// Whether all of the other block is in this one.
    #[inline]
    pub const fn contains_net(self, other: IpNet) -> bool {
        self.prefix <= other.prefix && self.contains(other.address)
    }
}

/// The lowest `count` bits.
const fn host_bits(bits: u128, count: u8) -> u128 {
    if count >= 128 { bits } else { bits & ((1 << count) - 1) }
}

impl From<std::net::IpAddr> for IpAddr {
    fn from(address: std::net::IpAddr) -> IpAddr {
        match address {
            std::net::IpAddr::V4(address) => IpAddr::from_v4_bits(address.to_bits()),
            std::net::IpAddr::V6(address) => IpAddr::from_v6_bits(address.to_bits()),
        }
    }
}

impl fmt::Display for IpAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.v6 { write_v6(self.bits, f) } else { Ipv4Addr::from_bits(self.bits as u32).fmt(f) }
    }
}

impl fmt::Display for IpNet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// Writes 128 bits as RFC 5952 says, never with a dotted tail: eight numbers in lower-case hexadecimal without
/// leading zeros, of which the first longest run of two or more zeros is `::`. This is also what the URL standard
/// writes between brackets.
pub(super) fn write_v6(bits: u128, out: &mut impl fmt::Write) -> fmt::Result {
    let piece = |at: usize| (bits >> (112 - 16 * at)) as u16;
    let (mut run_start, mut run_length) = (8, 1);
    let mut at = 0;
    while at < 8 {
        let zeros = (at..8).take_while(|&at| piece(at) == 0).count();
        if zeros > run_length {
            (run_start, run_length) = (at, zeros);
        }
        at += zeros.max(1);
    }
    let mut at = 0;
    while at < 8 {
        if at == run_start {
            out.write_str("::")?;
            at += run_length;
            continue;
        }
        if at > 0 && at != run_start + run_length {
            out.write_char(':')?;
        }
        write!(out, "{:x}", piece(at))?;
        at += 1;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        IpAddr::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn net(text: &str) -> IpNet {
        IpNet::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    /// RFC 4291, section 2.2, and RFC 5952, sections 1, 2 and 4.
    #[test]
    fn examples_of_the_standards() {
        for (text, canonical) in [
            ("ABCD:EF01:2345:6789:ABCD:EF01:2345:6789", "abcd:ef01:2345:6789:abcd:ef01:2345:6789"),
            ("2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a"),
            ("FF01:0:0:0:0:0:0:101", "ff01::101"),
            ("0:0:0:0:0:0:0:1", "::1"),
            ("0:0:0:0:0:0:0:0", "::"),
            ("0:0:0:0:0:0:13.1.68.3", "::d01:4403"),
            ("0:0:0:0:0:FFFF:129.144.52.38", "129.144.52.38"),
            ("::FFFF:129.144.52.38", "129.144.52.38"),
            ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
            ("2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
            ("2001:db8::1:0:0:1", "2001:db8::1:0:0:1"),
            ("2001:db8::0:1:0:0:1", "2001:db8::1:0:0:1"),
            ("2001:0db8::1:0:0:1", "2001:db8::1:0:0:1"),
            ("2001:db8:0:0:1::1", "2001:db8::1:0:0:1"),
            ("2001:db8:0000:0:1::1", "2001:db8::1:0:0:1"),
            ("2001:DB8:0:0:1::1", "2001:db8::1:0:0:1"),
            ("2001:db8:aaaa:bbbb:cccc:dddd:eeee:0001", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:1"),
            ("2001:db8:aaaa:bbbb:cccc:dddd:0:1", "2001:db8:aaaa:bbbb:cccc:dddd:0:1"),
            ("2001:0:0:0:1:0:0:1", "2001::1:0:0:1"),
            ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
            ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
            ("2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
            ("1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"),
            ("192.0.2.1", "192.0.2.1"),
        ] {
            assert_eq!(ip(text).to_string(), canonical, "{text}");
        }
    }

    #[test]
    fn refused() {
        for text in [
            "",
            "1.2.3",
            "1.2.3.4.5",
            "256.1.1.1",
            "01.2.3.4",
            "1.2.3.04",
            "0177.0.0.1",
            "0x7f.0.0.1",
            "2130706433",
            "127.1",
            "1.2.3.4 ",
            " 1.2.3.4",
            "1.2.3.-4",
            "1.2.3.4.",
            "::1%eth0",
            "fe80::1%1",
            "[::1]",
            ":::",
            "1:2",
            "1::2::3",
            "1:2:3:4:5:6:7:8:9",
            "12345::",
            "::1.2.3.256",
            "::01.2.3.4",
            "g::",
            "::ffff:0x7f.0.0.1",
            "１.2.3.4",
            "1.2.3.4/8",
        ] {
            assert_eq!(IpAddr::parse(text), Err(IpError::Address), "{text}");
        }
    }

    #[test]
    fn mapped_addresses_are_v4() {
        assert_eq!(ip("::ffff:127.0.0.1"), ip("127.0.0.1"));
        assert_eq!(ip("::ffff:7f00:1"), ip("127.0.0.1"));
        assert!(ip("::ffff:7f00:1").is_loopback());
        assert!(net("10.0.0.0/8").contains(ip("::ffff:10.1.2.3")));
        assert!(ip("::127.0.0.1").is_v6());
        assert_eq!(IpAddr::from_parts(true, 0xffff_7f00_0001), None);
        assert_eq!(IpAddr::from_parts(false, 0xffff_7f00_0001), None);
        assert_eq!(IpAddr::from_parts(false, 0x7f00_0001), Some(ip("127.0.0.1")));
        assert_eq!(IpAddr::from_parts(true, 1), Some(ip("::1")));
        assert!(!ip("::127.0.0.1").is_global());
        assert_eq!(net("::ffff:10.0.0.0/104"), net("10.0.0.0/8"));
        assert_eq!(net("::ffff:0.0.0.0/96"), net("0.0.0.0/0"));
        assert_eq!(IpNet::parse("::ffff:0.0.0.0/95"), Err(IpError::HostBits));
        assert_eq!(IpNet::parse("::ffff:10.0.0.0/8"), Err(IpError::HostBits));
        assert_eq!(IpNet::parse("::ffff:10.0.0.0/129"), Err(IpError::Prefix));
    }

    #[test]
    fn blocks() {
        assert!(net("10.0.0.0/8").contains(ip("10.255.255.255")));
        assert!(!net("10.0.0.0/8").contains(ip("11.0.0.0")));
        assert!(net("0.0.0.0/0").contains(ip("255.255.255.255")));
        assert!(net("1.2.3.4/32").contains(ip("1.2.3.4")));
        assert!(!net("1.2.3.4/32").contains(ip("1.2.3.5")));
        assert!(net("::/0").contains(ip("ffff::")));
        assert!(!net("::/0").contains(ip("1.2.3.4")));
        assert!(!net("0.0.0.0/0").contains(ip("::1")));
        assert!(net("2001:db8::/32").contains_net(net("2001:db8:1::/48")));
        assert!(!net("2001:db8:1::/48").contains_net(net("2001:db8::/32")));
        assert_eq!(net("10.0.0.0/8").last(), ip("10.255.255.255"));
        assert_eq!(net("::/0").last().bits(), u128::MAX);
        assert_eq!(net("2001:DB8::/32").to_string(), "2001:db8::/32");
        for text in ["10.0.0.1/8", "11.0.0.0/7", "2001:db8::1/64", "128.0.0.0/0"] {
            assert_eq!(IpNet::parse(text), Err(IpError::HostBits), "{text}");
        }
        for text in ["10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "::/129", "::/300", "10.0.0.0/08", "10.0.0.0/+8", "::/8/9"]
        {
            assert_eq!(IpNet::parse(text), Err(IpError::Prefix), "{text}");
        }
        assert_eq!(IpNet::parse("10.0.0/8"), Err(IpError::Address));
    }

    #[test]
    fn classes() {
        let class = |text: &str| {
            let ip = ip(text);
            [
                (ip.is_unspecified(), "unspecified"),
                (ip.is_loopback(), "loopback"),
                (ip.is_private(), "private"),
                (ip.is_link_local(), "link_local"),
                (ip.is_multicast(), "multicast"),
                (ip.is_global(), "global"),
            ]
            .iter()
            .filter(|(is, _)| *is)
            .map(|(_, name)| *name)
            .collect::<Vec<_>>()
            .join(" ")
        };
        for (expected, texts) in [
            ("unspecified", &["0.0.0.0", "::"][..]),
            ("loopback", &["127.0.0.1", "127.255.255.255", "::1"]),
            ("private", &["10.0.0.1", "172.16.0.0", "172.31.255.255", "192.168.1.1", "fc00::", "fdff::1"]),
            ("link_local", &["169.254.169.254", "fe80::1", "febf::1"]),
            ("multicast", &["224.0.0.1", "239.255.255.255", "ff02::1"]),
            (
                "global",
                &["1.1.1.1", "8.8.8.8", "172.15.0.1", "172.32.0.1", "192.0.1.1", "198.20.0.1", "223.255.255.255"],
            ),
            ("global", &["2606:4700:4700::1111", "2001:200::", "2001:4860:4860::8888", "2003::", "3fff:1000::"]),
            (
                "",
                &[
                    "0.1.2.3",
                    "100.64.0.1",
                    "100.127.255.255",
                    "192.0.0.8",
                    "192.0.2.1",
                    "192.88.99.1",
                    "198.19.255.255",
                ],
            ),
            ("", &["198.51.100.7", "203.0.113.7", "240.0.0.1", "255.255.255.255", "192.31.196.1", "192.175.48.1"]),
            (
                "",
                &["64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:1ff::", "2001:db8::1", "2002:7f00:1::"],
            ),
            ("", &["3fff:fff::1", "5f00::1", "fec0::1", "2620:4f:8000::1", "::2", "4000::", "1fff::"]),
        ] {
            for text in texts {
                assert_eq!(class(text), expected, "{text}");
            }
        }
    }

    proptest! {
        #[test]
        fn canonical_text_reads_back(bits: u128, shift in 0u32..128, v4: u32) {
            for address in [IpAddr::from_v6_bits(bits), IpAddr::from_v6_bits(bits >> shift), IpAddr::from_v4_bits(v4)] {
                prop_assert_eq!(IpAddr::parse(&address.to_string()), Ok(address));
            }
        }

        #[test]
        fn text_is_that_of_std(mask: u8, bits: u128) {
            let pieces = std::array::from_fn(|at| if mask >> at & 1 == 0 { 0 } else { (bits >> (16 * at)) as u16 });
            let address = Ipv6Addr::from(pieces);
            if address.to_ipv4_mapped().is_none() {
                prop_assert_eq!(IpAddr::from(std::net::IpAddr::V6(address)).to_string(), address.to_string());
            }
        }

        #[test]
        fn blocks_hold_what_lies_between_first_and_last(bits: u32, prefix in 0u8..=32, other: u32) {
            let first = if prefix == 0 { 0 } else { bits >> (32 - prefix) << (32 - prefix) };
            let block = IpNet::new(IpAddr::from_v4_bits(first), prefix).unwrap();
            let other = IpAddr::from_v4_bits(other);
            prop_assert_eq!(block.contains(other), block.address() <= other && other <= block.last());
            prop_assert_eq!(IpNet::parse(&block.to_string()), Ok(block));
        }
    }
}
