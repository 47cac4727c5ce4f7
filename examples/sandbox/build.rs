//! Generates the client's half of the wire types from the provider's `proto/`; its own build makes the server's.

use std::{env, error::Error};

const FILES: [&str; 2] = ["go_plugin.proto", "tfplugin6.proto"];
const PROTO: &str = "../../proto";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={PROTO}");

    tonic_prost_build::configure()
        .build_server(false)
        .build_transport(false)
        .out_dir(env::var("OUT_DIR")?)
        .compile_fds(protox::compile(FILES, [PROTO])?)?;
    Ok(())
}
