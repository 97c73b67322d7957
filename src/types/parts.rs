//! The direct parts of an expression, in source order: for whoever walks the typed tree.

use crate::types::typed::{Expr, ExprKind};

macro_rules! parts {
    ($(#[$doc:meta])* $name:ident $iter:ident $($mutable:tt)?) => {
        $(#[$doc])*
        pub fn $name<'a>(&'a $($mutable)? self, then: &mut dyn FnMut(&'a $($mutable)? Expr)) {
            match &$($mutable)? self.kind {
                ExprKind::Const(_)
                | ExprKind::Local(_)
                | ExprKind::Parameter(_)
                | ExprKind::Subject
                | ExprKind::Resource
                | ExprKind::Context(_)
                | ExprKind::ActionName => {}
                ExprKind::Attribute(a, _)
                | ExprKind::Field(a, _)
                | ExprKind::Matches(a, _)
                | ExprKind::IsPresent(a)
                | ExprKind::Narrowed(a)
                | ExprKind::IsType(a, _) => then(a),
                ExprKind::Default(a, b) | ExprKind::StepsTo(_, a, b) | ExprKind::Quantifier(_, _, a, b) => {
                    then(a);
                    then(b);
                }
                ExprKind::If(a, b, c) | ExprKind::Acyclic(_, a, b, c) => {
                    then(a);
                    then(b);
                    then(c);
                }
                ExprKind::Match(scrutinee, arms) => {
                    then(scrutinee);
                    arms.$iter().for_each(|(_, value)| then(value));
                }
                ExprKind::Operator(_, parts)
                | ExprKind::Call(_, parts)
                | ExprKind::Set(parts)
                | ExprKind::List(parts)
                | ExprKind::Record(_, parts) => parts.$iter().for_each(then),
                ExprKind::Map(entries) => entries.$iter().for_each(|(_, part)| then(part)),
            }
        }
    };
}

impl Expr {
    parts! {
        /// Calls `then` for each direct part, those behind a quantifier's variable too.
        for_each_part iter
    }
    parts! {
        /// As [`Expr::for_each_part`], to change them.
        for_each_part_mut iter_mut mut
    }

    /// The direct parts.
    #[must_use]
    pub fn parts(&self) -> Vec<&Expr> {
        let mut all = Vec::new();
        self.for_each_part(&mut |part| all.push(part));
        all
    }

    /// The direct parts, to change them.
    pub fn parts_mut(&mut self) -> Vec<&mut Expr> {
        let mut all = Vec::new();
        self.for_each_part_mut(&mut |part| all.push(part));
        all
    }
}
