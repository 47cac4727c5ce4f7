//! The generated wire types, and what they may tell.

use std::fmt;

use zeroize::Zeroize;

/// Terraform's plugin protocol.
#[expect(missing_docs, unreachable_pub, clippy::pedantic, reason = "generated from proto/tfplugin6.proto")]
pub(super) mod tfplugin6 {
    include!(concat!(env!("OUT_DIR"), "/server/tfplugin6.rs"));
}

/// The services of go-plugin itself.
#[expect(unreachable_pub, clippy::pedantic, reason = "generated from proto/go_plugin.proto")]
pub(super) mod plugin {
    include!(concat!(env!("OUT_DIR"), "/server/plugin.rs"));
}

impl fmt::Debug for tfplugin6::DynamicValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DynamicValue")
    }
}

impl fmt::Debug for tfplugin6::RawState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RawState")
    }
}

impl Drop for tfplugin6::DynamicValue {
    fn drop(&mut self) {
        self.msgpack.zeroize();
        self.json.zeroize();
    }
}

impl Drop for tfplugin6::RawState {
    fn drop(&mut self) {
        self.json.zeroize();
        self.flatmap.values_mut().for_each(Zeroize::zeroize);
    }
}
