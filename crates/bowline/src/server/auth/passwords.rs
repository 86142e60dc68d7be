//! A list of users with their passwords.

use std::{collections::HashMap, fmt};

use sha2::{Digest as _, Sha256};

use super::{Credentials, Identity, UserStore, secret::is_same};

/// A few users with their passwords, from a configuration for instance.
///
/// Only salted digests are kept. They protect what is in memory and make every comparison take the
/// same time, also for a name that is not in the list; they are no password hashes to be stored.
///
/// ```
/// use bowline::server::auth::{Authenticator, Identity, PasswordList};
///
/// let users = PasswordList::new()
///     .with(Identity::new("anna").with_group("crew"), "bowline on a bight")
///     .with(Identity::new("ben"), "sheet bend");
/// let authenticator = Authenticator::new(users);
/// # drop(authenticator);
/// ```
#[derive(Clone)]
pub struct PasswordList {
    salt: [u8; 16],
    users: HashMap<Box<str>, ([u8; 32], Identity)>,
}

impl PasswordList {
    /// Makes an empty list.
    pub fn new() -> Self {
        Self {
            salt: rand::random(),
            users: HashMap::new(),
        }
    }

    /// Adds a user, in place of another of the same name.
    #[must_use]
    pub fn with(mut self, identity: Identity, password: &str) -> Self {
        let digest = self.digest(password);
        self.users
            .insert((*identity.user).into(), (digest, identity));
        self
    }

    fn digest(&self, password: &str) -> [u8; 32] {
        let digest = Sha256::new().chain_update(self.salt);
        digest.chain_update(password).finalize().into()
    }
}

impl Default for PasswordList {
    fn default() -> Self {
        Self::new()
    }
}

impl UserStore for PasswordList {
    /// Knows users by [`Credentials::Basic`].
    fn identify(&self, credentials: &Credentials) -> Option<Identity> {
        let Credentials::Basic(basic) = credentials else {
            return None;
        };
        let given = self.digest(basic.password());
        let found = self.users.get(basic.user());
        let expected = found.map_or(&NOBODY, |(digest, _)| digest);
        let is_right = is_same(&given, expected);
        found
            .filter(|_| is_right)
            .map(|(_, identity)| identity.clone())
    }
}

/// Shows the names.
impl fmt::Debug for PasswordList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordList")
            .field("users", &self.users.keys())
            .finish_non_exhaustive()
    }
}

/// What an unknown user's password is compared with.
const NOBODY: [u8; 32] = [0; 32];
