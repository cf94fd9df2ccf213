//! nginx as the server: quick enough not to be what is measured.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

const SYSTEM_ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";
const JSON: &str = r#"{"MediaContainer":{"size":0,"claimed":true,"machineIdentifier":"m","version":"1.41.3.9314"}}"#;
const SECTIONS: &str = r#"{"MediaContainer":{"size":1,"Directory":[{"key":"1","type":"movie","title":"Films","Location":[{"id":1,"path":"/media"}]}]}}"#;
const XML: &str = r#"<?xml version="1.0"?><MediaContainer size="0" friendlyName="bench" machineIdentifier="m" version="1.41.3.9314"></MediaContainer>"#;

/// A server with http and https, small answers in memory and large ones from a folder. Gone when dropped.
#[derive(Debug)]
pub(crate) struct Nginx {
    child: Child,
    pub(crate) http: String,
    pub(crate) https: String,
    /// The system's certificates and the server's own authority.
    pub(crate) bundle: PathBuf,
    /// What is served below `/files/`.
    pub(crate) files: PathBuf,
    _folder: tempfile::TempDir,
}

impl Nginx {
    /// None where nginx, or curl to compare with, is not installed.
    pub(crate) fn start() -> Option<Self> {
        for (program, version) in [("nginx", "-v"), ("curl", "-V")] {
            let mut command = Command::new(program);
            command.arg(version).stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let files = path.join("files");
        fs::create_dir(&files).unwrap();
        let bundle = certificates(path);
        let [http, https] = [free_port(), free_port()];
        let file = path.join("nginx.conf");
        fs::write(&file, configuration(path, http, https)).unwrap();
        let mut command = Command::new("nginx");
        command.arg("-p").arg(path).arg("-c").arg(&file).stderr(Stdio::null());
        let child = command.spawn().unwrap();
        [http, https].into_iter().for_each(wait_for);
        Some(Self {
            child,
            http: format!("http://127.0.0.1:{http}"),
            https: format!("https://127.0.0.1:{https}"),
            bundle,
            files,
            _folder: folder,
        })
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn configuration(folder: &Path, http: u16, https: u16) -> String {
    let folder = folder.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {folder}/{kind};\n"))
        .concat();
    format!(
        "daemon off; master_process off; pid {folder}/pid; error_log stderr crit;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; keepalive_timeout 600;
  {temporary}
  types {{ application/json json; text/xml xml; image/jpeg jpg; }}
  server {{
    listen 127.0.0.1:{http};
    listen 127.0.0.1:{https} ssl;
    ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key;
    root {folder};
    location = / {{ default_type text/xml; return 200 '{XML}'; }}
    location = /identity {{ default_type application/json; return 200 '{JSON}'; }}
    location = /library/sections {{ default_type application/json; return 200 '{SECTIONS}'; }}
    location /files/ {{ }}
  }}
}}
"
    )
}

/// Makes an authority and the server's certificate; returns the bundle to trust.
fn certificates(folder: &Path) -> PathBuf {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.distinguished_name.push(DnType::CommonName, "plexsync-worker bench authority");
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = vec!["127.0.0.1".to_owned()];
    let server = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
    fs::write(folder.join("server.pem"), server.pem()).unwrap();
    fs::write(folder.join("server.key"), key.serialize_pem()).unwrap();
    let system = fs::read_to_string(SYSTEM_ROOTS).unwrap_or_default();
    let bundle = folder.join("bundle.pem");
    fs::write(&bundle, format!("{system}\n{}", authority.pem())).unwrap();
    bundle
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn wait_for(port: u16) {
    let end = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < end, "nginx does not listen on {port}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
