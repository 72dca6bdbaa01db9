//! Finds and reads the service model: from a botocore wheel, from the JSON file itself, or from a fresh download.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use stepwright_value::Value;

const MODEL_IN_WHEEL: &str = "botocore/data/stepfunctions/2016-11-23/service-2.json";

/// Prints the model on standard output. Python is at hand wherever pip is, and reads both zip and gzip.
const READER: &str = r#"
import gzip, sys, zipfile
path, member = sys.argv[1:3]
if path.endswith('.whl'):
    wheel = zipfile.ZipFile(path)
    name = next(name for name in (member, member + '.gz') if name in wheel.namelist())
    data = wheel.read(name)
else:
    data = open(path, 'rb').read()
sys.stdout.buffer.write(gzip.decompress(data) if data[:2] == b'\x1f\x8b' else data)
"#;

/// Prints the newest models of the services that are named, as a JSON array.
const SERVICES_READER: &str = r#"
import gzip, sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
names = sorted(wheel.namelist())
models = []
for service in sys.argv[2:]:
    start = f'botocore/data/{service}/'
    name = [n for n in names if n.startswith(start) and '/service-2.json' in n][-1]
    data = wheel.read(name)
    models.append(gzip.decompress(data) if data[:2] == b'\x1f\x8b' else data)
sys.stdout.buffer.write(b'[' + b','.join(models) + b']')
"#;

/// The file to read: `path`, or botocore's newest wheel.
pub fn locate(path: Option<PathBuf>) -> Result<PathBuf> {
    path.map_or_else(download, Ok)
}

/// Whether the file holds the models of all services.
pub fn is_wheel(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "whl")
}

/// The service model of Step Functions.
pub fn load(path: &Path) -> Result<Value> {
    run(READER, path, &[MODEL_IN_WHEEL])
}

/// The models of these services, in this order.
pub fn load_services(wheel: &Path, services: &[&str]) -> Result<Vec<Value>> {
    let models = run(SERVICES_READER, wheel, services)?;
    Ok(models.as_array().map(|models| models.iter().cloned().collect()).unwrap_or_default())
}

fn run(reader: &str, path: &Path, arguments: &[&str]) -> Result<Value> {
    let output = Command::new("python3")
        .args(["-c", reader])
        .arg(path)
        .args(arguments)
        .output()
        .context("starting python3")?;
    if !output.status.success() {
        bail!("reading {}: {}", path.display(), String::from_utf8_lossy(&output.stderr));
    }
    stepwright_value::read_bytes(&output.stdout).with_context(|| format!("{} is not JSON", path.display()))
}

fn download() -> Result<PathBuf> {
    let folder = std::env::temp_dir().join("stepwright-botocore");
    let status = Command::new("python3")
        .args(["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest"])
        .arg(&folder)
        .arg("botocore")
        .status()
        .context("starting pip")?;
    if !status.success() {
        bail!("pip could not download botocore; name a wheel or a service-2.json instead");
    }
    let mut wheels: Vec<PathBuf> = std::fs::read_dir(&folder)?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .collect();
    wheels.sort_by_key(|path| std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok());
    wheels.pop().context("pip left no wheel")
}
