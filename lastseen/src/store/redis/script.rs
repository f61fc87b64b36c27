//! The Lua scripts, by which a server does many things at once.

use std::sync::LazyLock;

use ::redis::{Arg, Cmd, Script, cmd};

/// A script's text, and the name under which a server that has seen it knows it.
pub(super) struct Lua {
    text: &'static str,
    name: LazyLock<String>,
}

// `no-writes` lets a replica, and a server out of memory, run it. Others are refused as a whole before they begin, where the
// server takes no writes; so each is done in full, or not at all.
macro_rules! lua {
    ($flags:literal, $($file:literal),+) => {{
        const TEXT: &str = concat!("#!lua", $flags, "\n", $(include_str!(concat!("../lua/", $file))),+);
        Lua { text: TEXT, name: LazyLock::new(|| Script::new(TEXT).get_hash().to_owned()) }
    }};
}

pub(super) static LOOK: Lua = lua!(" flags=no-writes", "look.lua");
pub(super) static CREATE: Lua = lua!("", "create.lua");
pub(super) static WRITE: Lua = lua!("", "publish.lua", "write.lua");
/// An erasure makes room.
pub(super) static FORGET: Lua = lua!(" flags=allow-oom", "publish.lua", "forget.lua");
/// So does letting go.
pub(super) static EXPIRE: Lua = lua!(" flags=allow-oom", "expire.lua");
pub(super) static PUT_PROFILE: Lua = lua!("", "publish.lua", "put_profile.lua");
pub(super) static WRITE_HISTORY: Lua = lua!("", "write_history.lua");
pub(super) static HISTORY: Lua = lua!(" flags=no-writes", "history.lua");
pub(super) static READ: Lua = lua!(" flags=no-writes", "read.lua");
pub(super) static DAYS: Lua = lua!(" flags=no-writes", "days.lua");
pub(super) static PAGE: Lua = lua!(" flags=no-writes", "page.lua");

impl Lua {
    /// A call by name, on these keys. The arguments come after.
    pub(super) fn call(&self, keys: &[impl AsRef<str>]) -> Cmd {
        let mut command = cmd("EVALSHA");
        command.arg(self.name.as_str()).arg(keys.len());
        for key in keys {
            command.arg(key.as_ref());
        }
        command
    }

    /// The same call, for a server that doesn't know the name: with the script's text, which it then keeps.
    pub(super) fn in_full(&self, call: &Cmd) -> Cmd {
        let mut command = cmd("EVAL");
        command.arg(self.text);
        for argument in call.args_iter().skip(2) {
            if let Arg::Simple(argument) = argument {
                command.arg(argument);
            }
        }
        command
    }
}
