//! Programs of Debian packages that would start a service: `scripts/test` takes them out into the target directory.

use std::env;
use std::path::PathBuf;

/// Where `name` is: in `/usr/sbin`, or in `debian/usr/sbin` beside the test or above it.
///
/// # Panics
///
/// When it is in neither place.
pub(crate) fn program(name: &str) -> PathBuf {
    let test = env::current_exe().expect("a test has a path");
    let installed = PathBuf::from("/usr/sbin").join(name);
    let unpacked = test.ancestors().map(|directory| directory.join("debian/usr/sbin").join(name));
    let mut places = std::iter::once(installed).chain(unpacked);
    places.find(|path| path.is_file()).unwrap_or_else(|| {
        panic!("{name} isn't there: it is in Debian's package {name}; `scripts/test tests` unpacks it")
    })
}
