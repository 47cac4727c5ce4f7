//! The system's certificate verifier and roots, which are loaded once per process.

use std::sync::{Arc, OnceLock};

use rustls::{client::danger::ServerCertVerifier, crypto::CryptoProvider};

use super::off_thread::{off_thread, off_thread_blocking};

/// Returns the system's verifier, which is created once per process; `None` if there are no roots, or they cannot be
/// read in time.
pub(super) async fn verifier(provider: &Arc<CryptoProvider>) -> Option<Arc<dyn ServerCertVerifier>> {
    if let Some(known) = SYSTEM.get() {
        return known.clone();
    }
    off_thread(loading(provider)).await.flatten()
}

/// Like [`verifier`], but blocks the thread. For the middle of a TLS handshake, which cannot await.
pub(super) fn verifier_in_handshake(provider: &Arc<CryptoProvider>) -> Option<Arc<dyn ServerCertVerifier>> {
    if let Some(known) = SYSTEM.get() {
        return known.clone();
    }
    off_thread_blocking(loading(provider)).flatten()
}

fn loading(provider: &Arc<CryptoProvider>) -> impl FnOnce() -> Option<Arc<dyn ServerCertVerifier>> + Send + use<> {
    let provider = Arc::clone(provider);
    move || SYSTEM.get_or_init(|| load(provider)).clone()
}

/// The system's verifier; `None` if it has no roots.
static SYSTEM: OnceLock<Option<Arc<dyn ServerCertVerifier>>> = OnceLock::new();

#[cfg(any(windows, target_vendor = "apple"))]
fn load(provider: Arc<CryptoProvider>) -> Option<Arc<dyn ServerCertVerifier>> {
    Some(Arc::new(rustls_platform_verifier::Verifier::new(provider).ok()?))
}

#[cfg(not(any(windows, target_vendor = "apple")))]
fn load(provider: Arc<CryptoProvider>) -> Option<Arc<dyn ServerCertVerifier>> {
    let places = Places::of(|name| std::env::var_os(name));
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(places.read(&Installed::find()));
    Some(rustls::client::WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().ok()?)
}

#[cfg(not(any(windows, target_vendor = "apple")))]
use files::{Installed, Places};

/// The files with the system's roots.
#[cfg(not(any(windows, target_vendor = "apple")))]
mod files {
    use std::{env, ffi::OsString, path::PathBuf};

    use rustls::pki_types::CertificateDer;
    use rustls_native_certs::load_certs_from_paths;

    /// The paths in `SSL_CERT_FILE` and `SSL_CERT_DIR`, as OpenSSL reads them. An empty variable is treated as unset,
    /// as in Go.
    #[derive(Debug, Default)]
    pub(super) struct Places {
        file: Option<PathBuf>,
        folders: Vec<PathBuf>,
    }

    /// The system's own locations: a bundle, and directories with one file per certificate.
    #[derive(Debug, Default)]
    pub(super) struct Installed {
        pub(super) bundle: Option<PathBuf>,
        pub(super) folders: Vec<PathBuf>,
    }

    impl Installed {
        /// Searches the locations of all well-known systems.
        pub(super) fn find() -> Self {
            let found = openssl_probe::probe();
            Self { bundle: found.cert_file, folders: found.cert_dir }
        }
    }

    impl Places {
        pub(super) fn of(variable: impl Fn(&str) -> Option<OsString>) -> Self {
            let set = |name| variable(name).filter(|value| !value.is_empty());
            let folders = set("SSL_CERT_DIR").map(|folders| env::split_paths(&folders).collect::<Vec<_>>());
            let folders = folders.unwrap_or_default().into_iter().filter(|folder| !folder.as_os_str().is_empty());
            Self { file: set("SSL_CERT_FILE").map(PathBuf::from), folders: folders.collect() }
        }

        /// Reads the certificates of these paths. If none are set, reads the system's bundle, or its directories if
        /// that is empty.
        pub(super) fn read(&self, installed: &Installed) -> Vec<CertificateDer<'static>> {
            let in_folders = |folders: &[PathBuf]| {
                folders.iter().flat_map(|folder| load_certs_from_paths(None, Some(folder)).certs).collect::<Vec<_>>()
            };
            let in_file = |file: &Option<PathBuf>| load_certs_from_paths(file.as_deref(), None).certs;
            if self.file.is_some() || !self.folders.is_empty() {
                return [in_file(&self.file), in_folders(&self.folders)].concat();
            }
            let bundled = in_file(&installed.bundle);
            if bundled.is_empty() { in_folders(&installed.folders) } else { bundled }
        }
    }

    #[cfg(test)]
    mod tests {
        use std::{fs, path::Path};

        use rcgen::generate_simple_self_signed;
        use tempfile::TempDir;

        use super::*;

        /// A bundle of two certificates, a directory with a file for each, and other files for the variables.
        struct Scene {
            folder: TempDir,
        }

        impl Scene {
            fn new() -> Self {
                let folder = tempfile::tempdir().unwrap();
                for name in ["certs", "others"] {
                    fs::create_dir(folder.path().join(name)).unwrap();
                }
                let [one, two, three] = ["one", "two", "three"].map(pem);
                for (path, text) in [
                    ("bundle.pem", format!("{one}{two}")),
                    ("certs/one.pem", one),
                    ("certs/two.pem", two),
                    ("others/three.pem", three),
                    ("empty.pem", String::new()),
                ] {
                    fs::write(folder.path().join(path), text).unwrap();
                }
                Self { folder }
            }

            fn path(&self, name: &str) -> PathBuf {
                self.folder.path().join(name)
            }

            fn installed(&self, bundle: &str) -> Installed {
                Installed { bundle: Some(self.path(bundle)), folders: vec![self.path("certs")] }
            }
        }

        /// Returns how many certificates are read.
        fn read(variables: &[(&str, &Path)], installed: &Installed) -> usize {
            let variable = |name: &str| {
                let (_, value) = variables.iter().find(|(set, _)| *set == name)?;
                Some(value.as_os_str().to_owned())
            };
            Places::of(variable).read(installed).len()
        }

        fn pem(name: &str) -> String {
            crate::trust::pem(generate_simple_self_signed([name.to_owned()]).unwrap().cert.der())
        }

        #[test]
        fn the_many_files_are_read_only_where_the_one_has_nothing() {
            let scene = Scene::new();
            // What is in the folder alone shows whether the folder was read.
            fs::write(scene.path("certs/more.pem"), pem("more")).unwrap();
            assert_eq!(read(&[], &scene.installed("bundle.pem")), 2);
            for bundle in ["empty.pem", "missing.pem", "certs"] {
                assert_eq!(read(&[], &scene.installed(bundle)), 3, "{bundle}");
            }
            assert_eq!(read(&[], &Installed { bundle: None, ..scene.installed("bundle.pem") }), 3);
            assert_eq!(read(&[], &Installed::default()), 0);
        }

        #[test]
        fn what_variables_name_is_read_in_the_place_of_what_is_installed() {
            let scene = Scene::new();
            let installed = scene.installed("bundle.pem");
            let [file, folder, missing] = ["certs/one.pem", "others", "missing"].map(|name| scene.path(name));
            let both = env::join_paths([scene.path("certs"), scene.path("others"), PathBuf::new()]).unwrap();
            assert_eq!(read(&[("SSL_CERT_FILE", &file)], &installed), 1);
            assert_eq!(read(&[("SSL_CERT_DIR", &folder)], &installed), 1);
            assert_eq!(read(&[("SSL_CERT_DIR", Path::new(&both))], &installed), 3);
            assert_eq!(read(&[("SSL_CERT_FILE", &file), ("SSL_CERT_DIR", &folder)], &installed), 2);
            assert_eq!(read(&[("SSL_CERT_FILE", &missing)], &installed), 0, "no other place was asked for");
            assert_eq!(read(&[("SSL_CERT_FILE", Path::new("")), ("SSL_CERT_DIR", Path::new(""))], &installed), 2);
        }
    }
}
