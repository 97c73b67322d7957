//! What goes over collections.

use super::{Binding, Lowering};
use crate::bytecode::op::{Op, Slot};
use crate::compile::function::{Builder, Label};
use crate::types::ty::{Interval, Type};
use crate::types::typed::{Const, Expr, ExprKind, LocalId, Quantifier};

impl<'a> Lowering<'a, '_> {
    pub(super) fn quantifier(
        &mut self,
        b: &mut Builder,
        quantifier: Quantifier,
        local: LocalId,
        over: &'a Expr,
        body: &'a Expr,
        dst: Slot,
    ) -> bool {
        let before = |this: &mut Self, b: &mut Builder| {
            let start = match quantifier {
                Quantifier::Any => (Const::Bool(false), Type::Bool),
                Quantifier::All => (Const::Bool(true), Type::Bool),
                Quantifier::Count => (Const::Int(0), Type::Int(Interval::FULL)),
            };
            this.constant(b, &start.0, &start.1, dst);
            b.slot()
        };
        let turn = |this: &mut Self, b: &mut Builder, test: Slot, end: Label| {
            let fails = this.lower(b, body, test);
            match quantifier {
                Quantifier::Any => {
                    b.emit(Op::Or { a: dst, b: dst, c: test });
                    b.jump_true(dst, end);
                }
                Quantifier::All => {
                    b.emit(Op::And { a: dst, b: dst, c: test });
                    b.jump_false(dst, end);
                }
                Quantifier::Count => b.emit(Op::CountIf { a: dst, b: dst, c: test }),
            }
            fails
        };
        self.each(b, local, over, dst, before, turn, |_, _| {})
    }

    pub(super) fn acyclic(
        &mut self,
        b: &mut Builder,
        local: LocalId,
        over: &'a Expr,
        node: &'a Expr,
        edges: &'a Expr,
        dst: Slot,
    ) -> bool {
        let before = |_: &mut Self, b: &mut Builder| {
            let graph = b.slot();
            b.emit(Op::Graph { a: graph });
            graph
        };
        let turn = |this: &mut Self, b: &mut Builder, graph: Slot, _: Label| {
            let (from, to) = (b.slot(), b.slot());
            let node_fails = this.lower(b, node, from);
            let edges_fail = this.lower(b, edges, to);
            b.emit(Op::Link { a: graph, b: from, c: to });
            node_fails | edges_fail
        };
        self.each(b, local, over, dst, before, turn, |b, graph| b.emit(Op::Acyclic { a: dst, b: graph }))
    }

    /// A loop over a collection whose result lies in `dst` behind it. `before` makes ready and gives the slot that the
    /// turns share; `turn` is one of them, says whether it may fail, and may jump to the end, behind `after`.
    #[expect(clippy::too_many_arguments, reason = "three parts of one loop, and what it goes over")]
    fn each(
        &mut self,
        b: &mut Builder,
        local: LocalId,
        over: &'a Expr,
        dst: Slot,
        before: impl FnOnce(&mut Self, &mut Builder) -> Slot,
        turn: impl FnOnce(&mut Self, &mut Builder, Slot, Label) -> bool,
        after: impl FnOnce(&mut Builder, Slot),
    ) -> bool {
        let collection = b.slot();
        let over_fails = self.lower(b, over, collection);
        let (failed, end, behind, head) = (b.label(), b.label(), b.label(), b.label());
        let may_seem_faulty = over_fails || !self.is_plainly_sound(over);
        if may_seem_faulty {
            b.jump_error(collection, failed);
        }
        let (iterator, element) = (b.slot(), b.slot());
        let shared = before(self, b);
        b.emit(Op::Iterate { a: iterator, b: collection });
        b.place(head);
        b.next(iterator, behind);
        b.emit(Op::Element { a: element, b: iterator });
        let hidden = self.locals.insert(local, Binding::Slot(element, false));
        let turn_fails = turn(self, b, shared, end);
        match hidden {
            Some(binding) => self.locals.insert(local, binding),
            None => self.locals.remove(&local),
        };
        b.end_loop(head);
        b.place(behind);
        after(b, shared);
        if may_seem_faulty {
            b.jump(end);
        }
        self.raise(b, may_seem_faulty, failed, collection, dst);
        b.place(end);
        over_fails | turn_fails
    }

    /// Whether the verifier can see that a collection is no error. It knows nothing of intervals, presence and types that
    /// were asked for, so that it sees less than the checker.
    fn is_plainly_sound(&self, expr: &Expr) -> bool {
        let one_type = |types: &[_]| types.len() == 1;
        match &expr.kind {
            ExprKind::Const(_) | ExprKind::Parameter(_) | ExprKind::Context(_) => true,
            ExprKind::Attribute(entity, _) => self.state.as_ref().is_some_and(|state| match entity.kind {
                ExprKind::Subject => one_type(&state.action.subject),
                ExprKind::Resource => one_type(&state.action.resource),
                _ => false,
            }),
            _ => false,
        }
    }
}
