//! The release binary, through HTTP: a closed loop of executions, its CPU and memory, and what the disk allows in the same
//! minute.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{Figure, Options, example, output_of, target_directory};

type Say<'a> = &'a mut dyn FnMut(Figure);

/// Workload and executions in flight.
const CELLS: [(&str, &[usize]); 4] =
    [("pass5", &[1, 16, 64, 256]), ("map1000", &[1]), ("task3", &[1, 16, 64]), ("lambda3", &[1, 16, 64])];
const STARTS: usize = 5;

fn build(root: &Path) -> Result<PathBuf> {
    output_of(
        Command::new("cargo")
            .args(["build", "--quiet", "--release", "--package", "stepwright"])
            .current_dir(root),
    )?;
    Ok(target_directory(root).join("release/stepwright"))
}

/// The programs that are needed.
pub struct Bench<'a> {
    load: PathBuf,
    binary: PathBuf,
    pub options: &'a Options,
}

impl<'a> Bench<'a> {
    /// Builds what is not there.
    pub fn new(root: &Path, options: &'a Options) -> Result<Bench<'a>> {
        std::fs::create_dir_all(&options.data).context("the directory for data")?;
        let binary = match &options.server {
            Some(binary) => binary.clone(),
            None => build(root)?,
        };
        Ok(Bench { load: example(root, "xtask", "load")?, binary, options })
    }

    pub fn measure(&self, say: Say<'_>) -> Result<()> {
        self.startup(say)?;
        let echo = self.echo()?;
        for (workload, levels) in CELLS {
            for clients in levels {
                say(self.cell(workload, *clients, &echo)?);
            }
        }
        say(self.parked()?);
        Ok(())
    }

    /// From the start of the process to the first answer on empty data, and what the server holds then.
    fn startup(&self, say: Say<'_>) -> Result<()> {
        let mut times = Vec::new();
        let mut resident = 0.0;
        for _ in 0..STARTS {
            let begun = Instant::now();
            let server = self.start(None)?;
            times.push(begun.elapsed().as_secs_f64() * 1e3);
            resident = server.resident_bytes()? / f64::from(1 << 20);
        }
        times.sort_by(f64::total_cmp);
        say(Figure::new("start to first answer", times[STARTS / 2], "ms"));
        say(Figure::new("resident, empty", resident, "MiB"));
        Ok(())
    }

    fn cell(&self, workload: &str, clients: usize, echo: &Echo) -> Result<Figure> {
        let (count, seconds) = (clients.to_string(), self.options.seconds.to_string());
        let disk = self.load(&[
            "disk",
            &self.options.data.display().to_string(),
            "--clients",
            &count,
            "--seconds",
            "1",
        ])?;
        let server = self.start(Some(echo.port))?;
        let cpu_before_s = server.cpu_s()?;
        let run = self.load(&[
            "run",
            workload,
            "--server",
            &server.address,
            "--clients",
            &count,
            "--seconds",
            &seconds,
        ])?;
        let cpu_s = server.cpu_s()? - cpu_before_s;
        let number = |value: &Value, name: &str| value[name].as_f64().unwrap_or(f64::NAN);
        // The warm-up takes a quarter of the time more; its executions are not counted, its CPU is.
        let executions = number(&run, "executions") * 1.25;
        let figure = Figure::new(
            format!("{workload}, {clients} in flight"),
            number(&run, "per_second"),
            "executions/s",
        );
        Ok(figure
            .against("bare log", number(&disk, "per_second"))
            .with("p50 ms", number(&run, "p50_ms"))
            .with("p99 ms", number(&run, "p99_ms"))
            .with("CPU s/1,000", cpu_s / executions * 1e3)
            .with("fdatasync p50 ms", number(&disk, "p50_ms")))
    }

    /// Growth of resident memory for each execution that waits. The first thousand do not count.
    fn parked(&self) -> Result<Figure> {
        let server = self.start(None)?;
        let park = |count: usize| {
            self.load(&["park", &count.to_string(), "--server", &server.address, "--clients", "16"])
        };
        park(1_000)?;
        let before = server.settled_bytes()?;
        let run = park(self.options.parked)?;
        let grown = server.settled_bytes()? - before;
        let figure = Figure::new(
            format!("{} parked, resident each", self.options.parked),
            grown / self.options.parked.max(1) as f64,
            "bytes",
        );
        let rate = self.options.parked as f64 / run["seconds"].as_f64().unwrap_or(f64::NAN);
        Ok(figure.with("accepted/s", rate))
    }

    /// Runs the program that makes load; what it says in one piece.
    pub fn load(&self, arguments: &[&str]) -> Result<Value> {
        let text = self.load_text(arguments)?;
        serde_json::from_str(&text).with_context(|| text)
    }

    /// Runs the program that makes load; what it prints.
    pub fn load_text(&self, arguments: &[&str]) -> Result<String> {
        output_of(Command::new(&self.load).args(arguments))
    }

    /// The Lambda endpoint.
    fn echo(&self) -> Result<Echo> {
        let mut process =
            Command::new(&self.load).arg("echo").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().context("the output of echo")?).read_line(&mut line)?;
        Ok(Echo { port: line.trim().parse().context("the port of echo")?, process })
    }

    /// A server with empty data that answers.
    pub fn start(&self, lambda_port: Option<u16>) -> Result<Server> {
        let data = self.options.data.join("server");
        let _ = std::fs::remove_dir_all(&data);
        self.start_on(data, lambda_port)
    }

    /// A server with the data of a directory that answers.
    pub fn start_on(&self, data: PathBuf, lambda_port: Option<u16>) -> Result<Server> {
        let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let mut command = Command::new(&self.binary);
        command.args(["serve", "--listen", &address, "--data-dir"]).arg(&data);
        if let Some(port) = lambda_port {
            command.env("AWS_ENDPOINT_URL_LAMBDA", format!("http://127.0.0.1:{port}"));
        }
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let process = process.with_context(|| self.binary.display().to_string())?;
        let server = Server { process, address, data };
        let begun = Instant::now();
        while server.asks_for_health().is_err() {
            if begun.elapsed() > Duration::from_secs(30) {
                bail!("{} does not answer", self.binary.display());
            }
            std::thread::park_timeout(Duration::from_millis(1));
        }
        Ok(server)
    }
}

/// Ends with this value.
struct Echo {
    port: u16,
    process: Child,
}

impl Drop for Echo {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// A running server; its process ends and its data go with this value.
pub struct Server {
    process: Child,
    pub address: String,
    data: PathBuf,
}

impl Server {
    /// Ends the process, but not its data: their directory.
    pub fn stop_and_keep(mut self) -> PathBuf {
        let _ = self.process.kill();
        let _ = self.process.wait();
        // An empty path is no directory that could be removed.
        std::mem::take(&mut self.data)
    }

    fn asks_for_health(&self) -> Result<()> {
        let mut connection = TcpStream::connect(&self.address)?;
        connection.set_read_timeout(Some(Duration::from_secs(1)))?;
        write!(connection, "GET /healthz HTTP/1.1\r\nhost: {}\r\n\r\n", self.address)?;
        let mut line = String::new();
        BufReader::new(connection).read_line(&mut line)?;
        if line.contains(" 200 ") { Ok(()) } else { bail!("{line}") }
    }

    /// User and system time so far.
    pub fn cpu_s(&self) -> Result<f64> {
        let text = self.proc("stat")?;
        // Behind the name, which may hold anything: fields 3 and on.
        let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks =
            |at: usize| fields.get(at).and_then(|ticks| ticks.parse::<f64>().ok()).context("/proc/PID/stat");
        Ok((ticks(11)? + ticks(12)?) / 100.0)
    }

    fn resident_bytes(&self) -> Result<f64> {
        self.memory("VmRSS:")
    }

    /// The most that was resident at a time.
    pub fn peak_bytes(&self) -> Result<f64> {
        self.memory("VmHWM:")
    }

    fn memory(&self, field: &'static str) -> Result<f64> {
        let text = self.proc("status")?;
        let line = text.lines().find_map(|line| line.strip_prefix(field)).context(field)?;
        let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kibibytes * 1024.0)
    }

    /// Once it does not shrink any more.
    fn settled_bytes(&self) -> Result<f64> {
        let mut least = self.resident_bytes()?;
        for _ in 0..5 {
            std::thread::park_timeout(Duration::from_secs(1));
            least = least.min(self.resident_bytes()?);
        }
        Ok(least)
    }

    fn proc(&self, file: &str) -> Result<String> {
        let path = format!("/proc/{}/{file}", self.process.id());
        std::fs::read_to_string(&path).context(path)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.data);
    }
}
