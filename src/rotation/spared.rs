//! A credential that a reset must not touch.

/// A credential that a reset must not touch. One credential may have two ids, and only its user name shows that.
#[derive(Clone, Debug)]
pub(crate) struct Spared {
    /// Its id.
    pub(crate) id: String,
    /// Its user name, as the vendor reports it.
    pub(crate) username: String,
}
