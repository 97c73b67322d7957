//! What a registry costs in a running kernel, its store a file: what is resident after entities with ten attributes each were
//! loaded and after patches, and how long a patch of one of them takes. What the heap holds of it is counted by `memory`.
//!
//! The first argument that is a number says how many entities, 100,000 if there is none.

use std::fs::File;
use std::io::BufWriter;
use std::time::Instant;

use pdl::kernel::store::sqlite::{self, Sqlite};
use pdl_bench::registry::{PATCHES, bundle, kernel, operator, patch, size, write_document};

/// What the system says that the process has in memory now, and what it had at most, in MB; no numbers where it does not.
fn resident() -> (f64, f64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
        kilobytes.unwrap_or(f64::NAN) * 1_024.0 / 1e6
    };
    (of("VmRSS:"), of("VmHWM:"))
}

fn show(what: &str) {
    let (now, most) = resident();
    println!("  resident {what:<21} {now:6.1} MB, at most {most:.1} MB");
}

fn main() {
    pdl_bench::machine();
    let size = size();
    let bundle = bundle();
    let path = std::env::temp_dir().join(format!("pdl-bench-registry-{}", std::process::id()));
    // Written in pieces and read back: an allocator keeps more after it has once given out much.
    let kept = path.with_extension("json");
    write_document(size, BufWriter::new(File::create(&kept).expect("there is room")));
    let store = Sqlite::create(&path, &sqlite::Options::PLAIN).expect("there is room");
    let kernel = kernel(store);
    let who = operator();
    kernel.activate(&who, &bundle, Some(b"[]")).expect("it is activated");
    println!("{size} entities");
    show("before");
    {
        let document = std::fs::read(&kept).expect("it was written");
        let begun = Instant::now();
        kernel.load_entities(&who, &document).expect("they are sound");
        println!(
            "  a document of {:.1} MB, loaded and stored durably in {:.0} ms",
            document.len() as f64 / 1e6,
            begun.elapsed().as_secs_f64() * 1e3
        );
    }
    show("after the load");
    let mut times: Vec<f64> = (1..=PATCHES)
        .map(|step| {
            let patch = patch(size, step);
            let begun = Instant::now();
            kernel.patch_entities(&who, patch.as_bytes()).expect("it is sound");
            begun.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    show(&format!("after {PATCHES} patches"));
    times.sort_by(f64::total_cmp);
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    println!(
        "  patch of one, stored durably  median {:.1} ms, p10 {:.1} ms, p90 {:.1} ms, largest {:.1} ms",
        at(50),
        at(10),
        at(90),
        at(100)
    );
    drop(kernel);
    drop(std::fs::remove_file(&kept));
    for end in ["", "-wal", "-tip"] {
        drop(std::fs::remove_file(format!("{}{end}", path.display())));
    }
}
