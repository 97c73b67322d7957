//! Generates the parser from `grammar/pdl.lalrpop` when the compiler is built.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "compiler")]
    lalrpop::Configuration::new()
        .set_in_dir("grammar")
        .emit_rerun_directives(true)
        .process()
        .expect("grammar/pdl.lalrpop generates a parser");
}
