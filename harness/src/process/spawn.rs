//! Starting a child process that can't outlive this one.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{LazyLock, mpsc};
use std::thread;

/// Starts the command in a process group of its own, with its output piped. The kernel kills it when this process dies,
/// in whatever way.
///
/// `setpriv` asks the kernel for that and then becomes the program, under the same process id.
pub(super) fn bound_to_this_process(command: &Command) -> io::Result<Child> {
    let mut bound = Command::new("setpriv");
    bound.args(["--pdeathsig", "KILL", "--"]);
    let mut bound = forwarded(bound, command);
    bound.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    spawn(bound)
}

/// `outer`, which takes a command as its last arguments, with this one: its variables and its directory too.
pub(crate) fn forwarded(mut outer: Command, command: &Command) -> Command {
    outer.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => outer.env(name, value),
            None => outer.env_remove(name),
        };
    }
    if let Some(directory) = command.get_current_dir() {
        outer.current_dir(directory);
    }
    outer
}

/// Spawns on a thread that lives as long as the process.
///
/// To the kernel the parent is the thread that forked, and a test's threads end long before its process does.
fn spawn(command: Command) -> io::Result<Child> {
    type Job = (Command, mpsc::Sender<io::Result<Child>>);
    static SPAWNER: LazyLock<mpsc::Sender<Job>> = LazyLock::new(|| {
        let (jobs, queue) = mpsc::channel::<Job>();
        thread::spawn(move || {
            for (mut command, reply) in queue {
                let _ = reply.send(command.spawn());
            }
        });
        jobs
    });
    let (reply, child) = mpsc::channel();
    SPAWNER.send((command, reply)).expect("the spawning thread runs for ever");
    child.recv().expect("the spawning thread answers")
}
