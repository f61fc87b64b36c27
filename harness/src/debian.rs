//! What is in Debian packages: installed, or taken out by `scripts/test` where the package would start a service.

use std::env;
use std::path::PathBuf;

/// Where the program of a package of the same name is that `scripts/test` takes out.
///
/// # Panics
///
/// When it is nowhere.
pub(crate) fn program(name: &str) -> PathBuf {
    file(name, &format!("usr/sbin/{name}"))
}

/// Where a package's file is: at its place, or in `debian/` beside the test or above it.
///
/// # Panics
///
/// When it is in neither place.
pub(crate) fn file(package: &str, path: &str) -> PathBuf {
    let test = env::current_exe().expect("a test has a path");
    let installed = PathBuf::from("/").join(path);
    let unpacked = test.ancestors().map(|directory| directory.join("debian").join(path));
    let mut places = std::iter::once(installed).chain(unpacked);
    places.find(|path| path.is_file()).unwrap_or_else(|| {
        panic!("{path} isn't there: it is in Debian's package {package}; `scripts/test tests` brings it")
    })
}
