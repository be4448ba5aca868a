//! Says at build time what `tribunal simulate` says at run time: without `--cfg madsim` there is no simulator.

fn main() {
    println!("cargo::rerun-if-env-changed=RUSTFLAGS");
    if std::env::var_os("CARGO_CFG_MADSIM").is_none() {
        println!(
            "cargo::warning=built without `--cfg madsim`: the madsim runtime is left out. \
             Build inside the repository, or set RUSTFLAGS=\"--cfg madsim\"."
        );
    }
}
