//! The builtin operations on values, each with one typed meaning.
//!
//! The checker picks one for every operator, member and builtin function of the source; constant folding, the reference
//! evaluator, lowering and the analysis each give it its meaning. An operand that is an error makes the result that error
//! (of several, the first in source order), except for `And`, `Or` and `Implies`, which follow strong Kleene logic.

/// A builtin operation. The comment gives operands and result; "may fail" names the errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    // Logic.
    /// Bool, Bool to Bool: false if either is false.
    And,
    /// Bool, Bool to Bool: true if either is true.
    Or,
    /// Bool, Bool to Bool: `(not a) or b`.
    Implies,
    /// Bool to Bool.
    Not,

    // Comparison.
    /// T, T to Bool: of any type but functions; sets regardless of order, records and maps by parts. Entities by type and id.
    Equal,
    /// The negation of `Equal`.
    NotEqual,
    /// Of two Int, Decimal, Duration, Timestamp, String (by code point), or of one enum (by declaration order).
    Less,
    /// Likewise.
    LessEqual,
    /// Likewise.
    Greater,
    /// Likewise.
    GreaterEqual,

    // Int: may fail with overflow.
    /// Int, Int to Int.
    IntAdd,
    /// Int, Int to Int.
    IntSubtract,
    /// Int, Int to Int.
    IntMultiply,
    /// Int by a constant that is not zero: rounds toward zero; fails only for the least Int by -1.
    IntDivide,
    /// Int to Int.
    IntNegate,
    /// Int to Int: the distance from zero.
    IntAbs,
    /// Int, Int to Int; never fails. `min(a, b)` of Int.
    IntMin,
    /// Int, Int to Int; never fails.
    IntMax,
    /// Int to Decimal: `decimal(n)`; may overflow.
    IntToDecimal,

    // Decimal: may fail with overflow or as inexact.
    /// Decimal, Decimal to Decimal.
    DecimalAdd,
    /// Decimal, Decimal to Decimal.
    DecimalSubtract,
    /// Decimal, Decimal to Decimal; inexact is an error.
    DecimalMultiply,
    /// Decimal by a Decimal constant that is not zero; inexact is an error.
    DecimalDivide,
    /// Decimal to Decimal.
    DecimalNegate,
    /// Decimal to Decimal.
    DecimalAbs,
    /// Decimal to Int, toward zero: `truncate(d)`; never fails.
    DecimalTruncate,
    /// Never fails.
    DecimalMin,
    /// Never fails.
    DecimalMax,

    // Time: may fail with overflow.
    /// Duration, Duration to Duration.
    DurationAdd,
    /// Duration, Duration to Duration.
    DurationSubtract,
    /// Duration, Int to Duration.
    DurationMultiply,
    /// Duration to Duration.
    DurationNegate,
    /// Timestamp, Duration to Timestamp.
    TimestampAdd,
    /// Timestamp, Duration to Timestamp.
    TimestampSubtract,
    /// Timestamp, Timestamp to Duration; never fails.
    TimestampDifference,
    /// Timestamp to Int in 0..=9999, UTC, as are all the parts.
    TimestampYear,
    /// 1..=12
    TimestampMonth,
    /// 1..=31
    TimestampDay,
    /// 0..=23
    TimestampHour,
    /// 0..=59
    TimestampMinute,
    /// 0..=59
    TimestampSecond,
    /// 1 (Monday) ..= 7 (Sunday), as in ISO 8601.
    TimestampWeekday,

    // Text.
    /// String to Int: the number of code points.
    StringLength,
    /// String, String to Bool.
    StringStartsWith,
    /// String, String to Bool.
    StringEndsWith,
    /// String, String to Bool: the second is a part of the first.
    StringContains,

    // Addresses, URLs, paths.
    /// IpAddr, IpNet to Bool: `a in n`.
    IpInNet,
    /// IpNet, IpNet to Bool: the first lies within the second.
    NetInNet,
    /// IpAddr to Bool, as are the next.
    IpIsLoopback,
    /// RFC 1918 and RFC 4193.
    IpIsPrivate,
    /// Link-local.
    IpIsLinkLocal,
    /// Multicast.
    IpIsMulticast,
    /// All zeros.
    IpIsUnspecified,
    /// In none of the special-purpose registries.
    IpIsGlobal,
    /// IpAddr to Bool.
    IpIsV6,
    /// Url to String, lower case.
    UrlScheme,
    /// Url to String, normalised; an IPv6 address without brackets.
    UrlHost,
    /// Url to `Int in 0..=65535`?: the port given, or the scheme's own; absent if neither.
    UrlPort,
    /// Url to String, percent-encoding kept.
    UrlPath,
    /// Url to String?: without the `?`.
    UrlQuery,
    /// Url to String?: without the `#`.
    UrlFragment,
    /// Url to Bool: user name or password are given.
    UrlHasCredentials,
    /// Url to IpAddr?: if the host is an address.
    UrlHostAddress,
    /// Url, Url to Bool: same scheme, host and port, and the path within.
    UrlInUrl,
    /// Url, String to Bool: `u.host_in("good.com")`, the host is that domain or below it.
    UrlHostInDomain,
    /// Url to String: the normalised text.
    UrlText,
    /// Path, Path to Bool: the first is the second or lies within it.
    PathInPath,
    /// Path to String: the last component, empty for the root.
    PathName,
    /// Path to String?: what follows the last dot of the name, if the name has one beyond its first character.
    PathExtension,
    /// Path to Path?: absent for the root.
    PathParent,
    /// Path to String: the normalised text.
    PathText,
    /// Path to Int: the number of components; `/` has none.
    PathDepth,

    // Collections.
    /// Set, List or Map to Int: how many.
    Size,
    /// `Set<T>` or `List<T>`, T to Bool. `x in xs` is this with the operands the other way round in the source.
    Contains,
    /// `Map<T>`, String to Bool: has the key.
    MapHasKey,
    /// `Set<T>`, `Set<T>` to Bool: every element of the second is in the first.
    ContainsAll,
    /// `Set<T>`, `Set<T>` to Bool: they share an element.
    ContainsAny,
    /// `Set<T>`, `Set<T>` to `Set<T>`; bounds add up, and past the largest bound it may fail with a limit.
    SetUnion,
    /// `Set<T>`, `Set<T>` to `Set<T>`.
    SetIntersect,
    /// `Set<T>`, `Set<T>` to `Set<T>`: the elements of the first that are not in the second.
    SetExcept,
    /// `List<T>`, Int to T?: absent beyond either end.
    ListGet,
    /// `Map<T>`, String to T?: absent if there is no such key.
    MapGet,

    // Entities.
    /// Entity to String.
    EntityId,
    /// Entity, Entity to Bool: the first is the second, or lies below it in the hierarchy.
    EntityIn,
    /// Entity, `Set<Entity>` to Bool: in one of them.
    EntityInAny,
}
