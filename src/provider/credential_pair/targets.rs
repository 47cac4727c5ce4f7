//! The two credentials of a pair.

use crate::{
    framework::{
        diagnostic::{Path, Result},
        value::Value,
    },
    provider::attributes::{
        configured::Configured,
        target::{self, Imported, Named},
    },
    text::is_same_name,
    vendors::{Target, Vendor},
};

/// The list of a configuration, plan or state.
#[derive(Debug)]
pub(super) struct Targets {
    /// The vendor; `None` while it is unknown.
    pub(super) vendor: Option<&'static Vendor>,
    /// The elements in their order, each `None` while a part of it is unknown. Two, but for a moved state, which has
    /// one.
    pub(super) elements: Vec<Option<Target>>,
    configured: Configured,
}

impl Targets {
    /// Reads the list of a configuration, plan or state.
    pub(super) fn of(value: &Value, configured: Configured) -> Result<Self> {
        let vendor = match target::named(value) {
            Named::One(vendor) => configured.vendor(vendor),
            Named::Undecided => return Ok(Self { vendor: None, elements: vec![None, None], configured }),
            Named::Nothing => return Err(target::no_pair().into()),
            Named::Several(vendors) => return Err(target::several_pairs(&vendors).into()),
        };
        let Value::List(items) = value.get(vendor.name) else { return Err(target::no_pair().into()) };
        let element = |(index, item): (usize, &Value)| target::in_object(vendor, item, &at(vendor, index));
        let elements = items.iter().enumerate().map(element).collect::<Result<_>>()?;
        Ok(Self { vendor: Some(vendor), elements, configured })
    }

    /// Returns whether every element is known.
    pub(super) fn is_known(&self) -> bool {
        self.elements.iter().all(Option::is_some)
    }

    /// Returns a known element.
    pub(super) fn element(&self, index: usize) -> Option<&Target> {
        self.elements.get(index)?.as_ref()
    }

    /// Returns the place of the credential with this id. Of two spellings the same one wins; but another spelling of an
    /// id is the same credential, or a rotation could take the one in use for another.
    pub(super) fn position(&self, id: &str) -> Option<usize> {
        let find = |is: &dyn Fn(&str) -> bool| {
            self.elements.iter().position(|element| element.as_ref().is_some_and(|target| is(&target.id())))
        };
        find(&|other| other == id).or_else(|| find(&|other| is_same_name(other, id)))
    }

    /// Returns the credential with this id, from the list or else from the id itself.
    pub(super) fn named(&self, id: &str) -> Option<Target> {
        let listed = self.position(id).and_then(|index| self.element(index)).cloned();
        listed.or_else(|| match Imported::from_id(id, self.configured) {
            Ok(Imported::Target(target)) => Some(target),
            Ok(Imported::Credential { .. }) | Err(_) => None,
        })
    }

    /// Returns both ids, joined by a comma; `None` while one is unknown.
    pub(super) fn id(&self) -> Option<String> {
        let ids = self.elements.iter().map(|element| element.as_ref().map(Target::id));
        ids.collect::<Option<Vec<_>>>().map(|ids| ids.join(SEPARATOR))
    }
}

/// Separates the ids of two credentials. No field of a pair contains it.
pub(super) const SEPARATOR: &str = ",";

/// Returns the place of the other credential.
pub(super) fn other(place: usize) -> usize {
    usize::from(place == 0)
}

/// Returns whether two credentials may be the same one. A vendor may know one mailbox by its address and by an id of its
/// own. Only the address says the user name, so without a request two ids of different forms may be those of one mailbox.
pub(super) fn may_be_same(one: &Target, other: &Target) -> bool {
    let [user, other_user] = [one, other].map(|target| (target.vendor.username)(&target.fields));
    let is_same_user = match (user, other_user) {
        (Some(user), Some(other)) => is_same_name(&user, &other),
        (user, other) => user.is_some() != other.is_some(),
    };
    is_same_name(&one.id(), &other.id()) || one.vendor.name == other.vendor.name && is_same_user
}

/// Returns the path of an element.
pub(super) fn at(vendor: &Vendor, index: usize) -> Path {
    Path::attribute(vendor.name).index(index)
}
