//! The command `pdl`; everything is in `pdl::cli`.

fn main() -> std::process::ExitCode {
    pdl::cli::main()
}
