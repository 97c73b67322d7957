//! The memory that entities with ten attributes each take, counted by the allocator: of the store that decides alone, and
//! of the kernel that keeps it, after they were loaded and after patches. What is resident is measured by `registry`.
//!
//! The first argument that is a number says how many entities, 100,000 if there is none. Counts are exact: they are the same
//! on every machine, busy or not.

use allocation_counter::{AllocationInfo, measure};
use pdl::LoadOptions;
use pdl::kernel::store::memory::Memory;
use pdl::vm::machine::Machine;
use pdl::vm::store::Store;
use pdl_bench::registry::{PATCHES, bundle, document, kernel, operator, patch, size};

fn show(what: &str, AllocationInfo { bytes_current, bytes_max, .. }: AllocationInfo) {
    println!("  {what:<44} {:6.1} MB, at most {:.1} MB", bytes_current as f64 / 1e6, bytes_max as f64 / 1e6);
}

fn main() {
    let size = size();
    let document = document(size);
    println!("{size} entities of ten attributes, a document of {:.1} MB", document.len() as f64 / 1e6);
    let bundle = bundle();
    {
        let machine = Machine::load(&bundle, &LoadOptions::UNSIGNED).expect("it loads");
        let mut kept = None;
        let loaded = measure(|| {
            kept = Store::load(machine.image(), machine.plan(), document.as_bytes()).ok();
        });
        show("the store alone", loaded);
        let store = kept.expect("they are sound");
        let named = measure(|| _ = store.digest(machine.image()));
        show("what it keeps for the digest of the next one", named);
        let mut next = None;
        let patched = measure(|| {
            next = store.patch(machine.image(), machine.plan(), patch(size, 1).as_bytes()).ok();
        });
        show("a patched one beside it", patched);
    }
    let who = operator();
    let mut kept = None;
    let mut text = 0;
    let whole = measure(|| {
        let kernel = kernel(Memory::new());
        kernel.activate(&who, &bundle, Some(b"[]")).expect("it is activated");
        kernel.load_entities(&who, document.as_bytes()).expect("they are sound");
        kept = Some(kernel);
    });
    show("the kernel, its history in memory", whole);
    let kernel = kept.expect("it was opened");
    let snapshot = measure(|| text = kernel.active().expect("it decides").entities().len());
    show("to write all entities as a document", snapshot);
    println!("  that document, as the history has it         {:6.1} MB", text as f64 / 1e6);
    let patched = measure(|| {
        for step in 1..=PATCHES {
            kernel.patch_entities(&who, patch(size, step).as_bytes()).expect("it is sound");
        }
    });
    show(&format!("more after {PATCHES} patches"), patched);
}
