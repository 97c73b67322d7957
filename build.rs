//! When the compiler is built: generates the parser from `grammar/pdl.lalrpop` and collects the pages of
//! `docs/errors/` for `pdl check --explain`, and the modules of `stdlib/` with the entities that ship beside them.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "compiler")]
    {
        lalrpop::Configuration::new()
            .set_in_dir("grammar")
            .emit_rerun_directives(true)
            .process()
            .expect("grammar/pdl.lalrpop generates a parser");
        collect_error_pages();
        collect_standard_library();
    }
}

/// Writes the table that `src/diagnostic/explain.rs` includes: each page by the name of its file, sorted.
#[cfg(feature = "compiler")]
fn collect_error_pages() {
    use std::fmt::Write as _;

    println!("cargo::rerun-if-changed=docs/errors");
    let mut names: Vec<String> = std::fs::read_dir("docs/errors")
        .expect("docs/errors can be listed")
        .map(|entry| entry.expect("docs/errors can be listed").file_name())
        .filter_map(|name| name.to_str()?.strip_suffix(".md").map(str::to_owned))
        .filter(|name| name != "README")
        .collect();
    names.sort();
    let mut table = String::from("const PAGES: &[(&str, &str)] = &[\n");
    for name in &names {
        let _ = writeln!(
            table,
            "    ({name:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/docs/errors/{name}.md\"))),"
        );
    }
    table.push_str("];\n");
    let out = std::env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    std::fs::write(std::path::Path::new(&out).join("error_pages.rs"), table).expect("OUT_DIR can be written");
}

/// Writes the tables that `src/types/stdlib.rs` includes: modules and entities by their names, sorted.
#[cfg(feature = "compiler")]
fn collect_standard_library() {
    println!("cargo::rerun-if-changed=stdlib");
    let table = standard_table("MODULES", ".pdl") + &standard_table("ENTITIES", ".entities.json");
    let out = std::env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    std::fs::write(std::path::Path::new(&out).join("standard_library.rs"), table).expect("OUT_DIR can be written");
}

/// The files of `stdlib/` with this ending, by the names of the modules.
#[cfg(feature = "compiler")]
fn standard_table(table_name: &str, ending: &str) -> String {
    use std::fmt::Write as _;

    let mut names: Vec<String> = std::fs::read_dir("stdlib")
        .expect("stdlib can be listed")
        .map(|entry| entry.expect("stdlib can be listed").file_name())
        .filter_map(|name| name.to_str()?.strip_suffix(ending).map(str::to_owned))
        .collect();
    names.sort();
    let mut table = format!("const {table_name}: &[(&str, &str)] = &[\n");
    for name in &names {
        let _ = writeln!(
            table,
            "    (\"std.{name}\", include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/stdlib/{name}{ending}\"))),"
        );
    }
    table.push_str("];\n");
    table
}
