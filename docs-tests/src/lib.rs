//! What the documentation says, tried out: the Rust in its pages is compiled, and run, as this crate's documentation tests.
//!
//! A crate of its own, since no published one may refer to what lies outside of it. The rest of what the pages say, commands,
//! settings and links, is tried in `tests`.

macro_rules! pages {
    ($($name:ident $page:literal)*) => {$(
        #[cfg(doctest)]
        #[doc = include_str!(concat!("../../docs/", $page))]
        mod $name {}
    )*};
}

pages! {
    behind_a_proxy "behind-a-proxy.md"
    getting_started "getting-started.md"
    moving "moving.md"
    privacy "privacy.md"
    stores "stores.md"
    testing "testing.md"
    three_times "three-times.md"
}
