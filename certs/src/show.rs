//! `show`: every certificate of a directory, for people and for programs.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Serialize;

use crate::error::CertsError;
use crate::inspect::{CertificateInfo, Validity, inspect, moment};

/// What lies in a directory of certificates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Inventory {
    pub directory: PathBuf,
    pub files: Vec<InventoryFile>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InventoryFile {
    pub path: PathBuf,
    /// The chain, the file's own certificate first.
    pub chain: Vec<CertificateInfo>,
    /// Why the file could not be read.
    pub problem: Option<String>,
}

/// Reads `ca/*.crt` and `nodes/*/node.crt`. Keys are not opened.
pub fn inventory(directory: &Path, now: SystemTime) -> Result<Inventory, CertsError> {
    let mut paths = listed(&directory.join("ca"))?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "crt"));
    let nodes = listed(&directory.join("nodes"))?;
    paths.extend(nodes.into_iter().map(|folder| folder.join("node.crt")).filter(|path| path.exists()));
    if paths.is_empty() {
        let fix = "run `isthmus certs init`, or give the directory that has `ca/`";
        return Err(CertsError::Missing { path: directory.join("ca"), fix });
    }
    let file = |path: PathBuf| match inspect(&path, now) {
        Ok(chain) => InventoryFile { path, chain, problem: None },
        Err(error) => InventoryFile { path, chain: Vec::new(), problem: Some(error.to_string()) },
    };
    Ok(Inventory { directory: directory.to_owned(), files: paths.into_iter().map(file).collect() })
}

/// The entries of a folder by name; none if it is not there.
fn listed(folder: &Path) -> Result<Vec<PathBuf>, CertsError> {
    let io = |source| CertsError::Io { action: "list", path: folder.to_owned(), source };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io(error)),
    };
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>().map_err(io)?;
    paths.sort();
    Ok(paths)
}

impl Inventory {
    /// Something needs to be done: a file that cannot be read, or a certificate that is not simply valid.
    pub fn needs_attention(&self) -> bool {
        let fine = |info: &CertificateInfo| info.validity == Validity::Valid;
        self.files.iter().any(|file| file.problem.is_some() || !file.chain.iter().all(fine))
    }

    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "directory": self.directory,
            "needs_attention": self.needs_attention(),
            "files": self.files,
        })
    }
}

impl fmt::Display for Inventory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for InventoryFile { path, chain, problem } in &self.files {
            writeln!(f, "{}", path.strip_prefix(&self.directory).unwrap_or(path).display())?;
            if let Some(problem) = problem {
                writeln!(f, "  {problem}")?;
            }
            if let Some((own, issuers)) = chain.split_first() {
                write!(f, "{own}")?;
                for issuer in issuers {
                    writeln!(f, "  chain      {}, until {}", issuer.subject, moment(issuer.not_after))?;
                }
            }
        }
        Ok(())
    }
}

impl fmt::Display for CertificateInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  subject    {}", self.subject)?;
        writeln!(f, "  issuer     {}", self.issuer)?;
        writeln!(f, "  identity   {}", self.identities.join(", "))?;
        if !self.hosts.is_empty() {
            writeln!(f, "  hosts      {}", self.hosts.join(", "))?;
        }
        writeln!(f, "  serial     {}", self.serial)?;
        write!(f, "  valid      {} to {}: ", moment(self.not_before), moment(self.not_after))?;
        match self.validity {
            Validity::Valid => writeln!(f, "{} days left", self.days_left),
            Validity::ExpiringSoon => {
                writeln!(f, "EXPIRES SOON, {} days left; issue it again", self.days_left)
            }
            Validity::Expired => writeln!(f, "EXPIRED; issue it again"),
            Validity::NotYetValid => writeln!(f, "NOT YET VALID; check the clock"),
        }
    }
}
