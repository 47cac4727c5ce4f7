//! Generates the wire types from `proto/`, in pure Rust: no `protoc` is needed.
//!
//! The server's half is compiled into the library. The client's half lies beside it for `tests/provider.rs`, which plays
//! core's part.

use std::{env, error::Error, fs, path::PathBuf};

const FILES: [&str; 2] = ["proto/go_plugin.proto", "proto/tfplugin6.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=proto");

    let definitions = protox::compile(FILES, ["proto"])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let [client, server] = ["client", "server"].map(|half| out.join(half));
    fs::create_dir_all(&client)?;
    fs::create_dir_all(&server)?;

    tonic_prost_build::configure()
        .build_client(false)
        .generate_default_stubs(true)
        // What these two carry may be a password. Their `Debug` is written by hand.
        .skip_debug([".tfplugin6.DynamicValue", ".tfplugin6.RawState"])
        .out_dir(server)
        .compile_fds(definitions.clone())?;
    tonic_prost_build::configure()
        .build_server(false)
        .build_transport(false)
        .out_dir(client)
        .compile_fds(definitions)?;
    Ok(())
}
