//! The process that starts the services, watches them, and ends them when its standard input
//! closes.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::install::FOLDER;
use super::state::{Run, Service, State};
use crate::command::{Failure, Outcome, output};

const START_DEADLINE: Duration = Duration::from_secs(120);
const CHECK_PAUSE: Duration = Duration::from_millis(200);
const ANSWER_DEADLINE: Duration = Duration::from_secs(2);
const LOG_TAIL_LINES: usize = 40;
const REGISTRY_PATH: &str = "/apis/ccompat/v7";
/// Below the ports that systems hand out to clients, so that none takes one between its choice and
/// its use.
const PORTS: std::ops::Range<u16> = 20_000..30_000;

/// Runs until standard input closes (well), or a service fails to start or ends by itself (badly).
pub(super) fn run(run: Run) -> Outcome {
    let lifeline = lifeline();
    let mut guarded = Guarded {
        run,
        state: State {
            guard: std::process::id(),
            services: Vec::new(),
        },
        children: Vec::new(),
    };
    let outcome = guarded.start(&lifeline).and_then(|()| guarded.watch(&lifeline));
    guarded.end_children();
    if outcome.is_ok() {
        guarded.run.remove()?;
    }
    outcome
}

/// A channel that closes when standard input does.
fn lifeline() -> Receiver<()> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        // Nothing is ever sent: reading returns only at the end, or when the pipe breaks, which is
        // the same here.
        let _ = io::stdin().lock().read_to_end(&mut Vec::new());
        drop(sender);
    });
    receiver
}

/// Sleeps for `pause`; false when the lifeline was cut.
fn still_wanted(lifeline: &Receiver<()>, pause: Duration) -> bool {
    matches!(lifeline.recv_timeout(pause), Err(RecvTimeoutError::Timeout))
}

struct Guarded {
    run: Run,
    state: State,
    children: Vec<Child>,
}

impl Guarded {
    fn start(&mut self, lifeline: &Receiver<()>) -> Outcome {
        let installed =
            std::env::var_os(FOLDER).ok_or_else(|| Failure::new("the guard is started by `up` alone"))?;
        let installed = PathBuf::from(installed);
        self.run.write(&self.state)?;
        let [broker, controller, registry] = free_ports()?;
        let classpath = format!("{}/*", installed.join("kafka").display());
        let properties = format_storage(self.run.folder(), &classpath, broker, controller)?;
        let mut command = self.java();
        command
            .args(["-Xmx1g", "-cp", &classpath, "kafka.Kafka"])
            .arg(properties);
        self.spawn("kafka", format!("127.0.0.1:{broker}"), command)?;
        let mut command = self.java();
        command
            .args([
                "-Xmx600m",
                "-Dquarkus.http.host=127.0.0.1",
                &format!("-Dquarkus.http.port={registry}"),
                "-jar",
            ])
            .arg(runner_jar(&installed.join("registry"))?);
        self.spawn(
            "registry",
            format!("http://127.0.0.1:{registry}{REGISTRY_PATH}"),
            command,
        )?;
        let healthy = self.wait_until_healthy(0, lifeline, || kafka_answers(broker))?
            && self.wait_until_healthy(1, lifeline, || registry_answers(registry))?;
        if healthy {
            println!("{}", self.state.to_json());
            io::stdout()
                .flush()
                .map_err(Failure::io("cannot tell that the services run"))?;
        }
        Ok(())
    }

    fn java(&self) -> Command {
        let mut command = Command::new("java");
        command.arg(self.run.mark()).current_dir(self.run.folder());
        command
    }

    fn spawn(&mut self, name: &str, address: String, mut command: Command) -> Outcome {
        let path = self.log(name);
        let log =
            File::create(&path).map_err(Failure::io(format_args!("cannot write {}", path.display())))?;
        let errors = log.try_clone().map_err(Failure::io("cannot share the log"))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .map_err(Failure::io(format_args!("cannot start {name}")))?;
        self.state.services.push(Service {
            name: name.to_owned(),
            address,
            pid: child.id(),
        });
        self.children.push(child);
        self.run.write(&self.state)
    }

    /// False when the lifeline was cut meanwhile.
    fn wait_until_healthy(
        &mut self,
        at: usize,
        lifeline: &Receiver<()>,
        check: impl Fn() -> io::Result<()>,
    ) -> Outcome<bool> {
        let deadline = Instant::now() + START_DEADLINE;
        loop {
            self.check_alive()?;
            let Err(last) = check() else { return Ok(true) };
            if Instant::now() > deadline {
                let why = format!("does not answer after {} s: {last}", START_DEADLINE.as_secs());
                return Err(self.failed(at, &why));
            }
            if !still_wanted(lifeline, CHECK_PAUSE) {
                return Ok(false);
            }
        }
    }

    fn watch(&mut self, lifeline: &Receiver<()>) -> Outcome {
        while still_wanted(lifeline, CHECK_PAUSE) {
            self.check_alive()?;
        }
        Ok(())
    }

    fn check_alive(&mut self) -> Outcome {
        for at in 0..self.children.len() {
            let status = self.children[at]
                .try_wait()
                .map_err(Failure::io("cannot watch a service"))?;
            if let Some(status) = status {
                return Err(self.failed(at, &format!("ended by itself: {status}")));
            }
        }
        Ok(())
    }

    fn end_children(&mut self) {
        for child in &mut self.children {
            // SIGKILL: nobody reads their data again. It fails only where the child has ended
            // already.
            let _ = child.kill();
        }
        for child in &mut self.children {
            let _ = child.wait();
        }
    }

    fn log(&self, name: &str) -> PathBuf {
        self.run.folder().join(format!("{name}.log"))
    }

    /// What is wrong with a service, and the end of its log.
    fn failed(&self, at: usize, why: &str) -> Failure {
        let name = &self.state.services[at].name;
        let path = self.log(name);
        let log = fs::read(&path).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(LOG_TAIL_LINES)..].join("\n  ");
        Failure::new(format!("{name} {why}\nThe end of {}:\n  {tail}", path.display()))
    }
}

/// Writes Kafka's configuration and prepares its log directory; gives the configuration's file.
///
/// Nothing is deleted by age. Test data likes fixed timestamps, which are older than a week, and
/// the broker would delete such messages half a minute after its start.
fn format_storage(folder: &Path, classpath: &str, broker: u16, controller: u16) -> Outcome<PathBuf> {
    let data = folder.join("data");
    let properties = format!(
        "process.roles=broker,controller\n\
         node.id=1\n\
         controller.quorum.bootstrap.servers=127.0.0.1:{controller}\n\
         listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}\n\
         controller.listener.names=CONTROLLER\n\
         listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\n\
         log.dirs={data}\n\
         offsets.topic.replication.factor=1\n\
         transaction.state.log.replication.factor=1\n\
         transaction.state.log.min.isr=1\n\
         share.coordinator.state.topic.replication.factor=1\n\
         share.coordinator.state.topic.min.isr=1\n\
         group.initial.rebalance.delay.ms=0\n\
         log.retention.ms=-1\n\
         auto.create.topics.enable=false\n",
        data = data.display()
    );
    let file = folder.join("server.properties");
    fs::write(&file, properties).map_err(Failure::io(format_args!("cannot write {}", file.display())))?;
    let tool = || {
        let mut command = Command::new("java");
        command.args(["-cp", classpath, "kafka.tools.StorageTool"]);
        command
    };
    let id = output(tool().arg("random-uuid"))?;
    output(
        tool()
            .args(["format", "--standalone", "-t", id.trim(), "-c"])
            .arg(&file),
    )?;
    Ok(file)
}

fn runner_jar(folder: &Path) -> Outcome<PathBuf> {
    let entries =
        fs::read_dir(folder).map_err(Failure::io(format_args!("cannot read {}", folder.display())))?;
    let mut files = entries.filter_map(|entry| Some(entry.ok()?.path()));
    files
        .find(|path| path.to_string_lossy().ends_with("-runner.jar"))
        .ok_or_else(|| Failure::new(format!("{} has no *-runner.jar", folder.display())))
}

/// Three ports that nobody listens on.
fn free_ports() -> Outcome<[u16; 3]> {
    let span = u32::from(PORTS.end - PORTS.start);
    // Where to begin depends on the process, so that two runs seldom look at the same ports at the
    // same time.
    let begin = std::process::id().wrapping_mul(97) % span;
    let mut held = Vec::new();
    for step in 0..span {
        let offset = u16::try_from((begin + step) % span).expect("the range of ports fits u16");
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", PORTS.start + offset)) {
            held.push((PORTS.start + offset, listener));
        }
        if let [(a, _), (b, _), (c, _)] = held.as_slice() {
            return Ok([*a, *b, *c]);
        }
    }
    Err(Failure::new(format!("no three free ports in {PORTS:?}")))
}

/// Asks the broker which versions of each request it knows: it answers only once it serves.
fn kafka_answers(port: u16) -> io::Result<()> {
    // ApiVersions, version 0: size, key 18, version, correlation id 1, no client id.
    let request = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff];
    let mut answer = [0; 10];
    let mut stream = connect(port)?;
    stream.write_all(&request)?;
    stream.read_exact(&mut answer)?;
    // Size, correlation id, error code.
    if answer[4..] == [0, 0, 0, 1, 0, 0] {
        Ok(())
    } else {
        Err(io::Error::other(format!("it answers {answer:?}")))
    }
}

/// Asks the registry for its subjects.
fn registry_answers(port: u16) -> io::Result<()> {
    let mut stream = connect(port)?;
    write!(
        stream,
        "GET {REGISTRY_PATH}/subjects HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer)?;
    if answer == *b"HTTP/1.1 200" {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "it answers {}",
        String::from_utf8_lossy(&answer)
    )))
}

fn connect(port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], port)), ANSWER_DEADLINE)?;
    stream.set_read_timeout(Some(ANSWER_DEADLINE))?;
    stream.set_write_timeout(Some(ANSWER_DEADLINE))?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::{connect, free_ports, kafka_answers};

    #[test]
    fn free_ports_are_free_and_distinct() {
        let [a, b, c] = free_ports().unwrap();
        let listeners = [a, b, c].map(|port| TcpListener::bind(("127.0.0.1", port)));
        assert!(listeners.iter().all(Result::is_ok));
    }

    #[test]
    fn a_port_without_a_service_does_not_answer() {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        assert!(connect(port).is_err());
        assert!(kafka_answers(port).is_err());
    }
}
