//! Generates the server's half of the wire types from `proto/`, in pure Rust: no `protoc` is needed.

use std::{env, error::Error};

const FILES: [&str; 2] = ["proto/go_plugin.proto", "proto/tfplugin6.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=proto");

    tonic_prost_build::configure()
        .build_client(false)
        .generate_default_stubs(true)
        // What these two carry may be a password. Their `Debug` is written by hand.
        .skip_debug([".tfplugin6.DynamicValue", ".tfplugin6.RawState"])
        .out_dir(env::var("OUT_DIR")?)
        .compile_fds(protox::compile(FILES, ["proto"])?)?;
    Ok(())
}
