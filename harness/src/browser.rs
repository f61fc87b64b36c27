//! A headless Chromium, for what a person sees.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use fantoccini::error::CmdError;
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use url::{ParseError, Url};

use crate::patience::PATIENCE;
use crate::process::Process;

const READY: &str = "ChromeDriver was started successfully on port ";

/// A fresh Chromium with a profile of its own, which reaches this machine alone.
///
/// Its viewport is 1280 by 800 pixels until [`viewport`](Self::viewport) says otherwise. It ends with this value, and
/// with the test's process. Each method panics when the browser can't do what it is told.
#[derive(Debug)]
pub struct Browser {
    page: Client,
    // Dropped in this order: nobody writes to the profile when it is removed.
    driver: Process,
    _profile: TempDir,
}

/// What a page learns by `prefers-color-scheme`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColorScheme {
    /// `light`
    Light,
    /// `dark`
    Dark,
}

impl Browser {
    /// Starts it.
    ///
    /// # Panics
    ///
    /// When Debian's packages `chromium` and `chromium-driver` aren't installed, or it doesn't start in 30 seconds.
    pub async fn start() -> Self {
        let chromium = installed("chromium", "chromium");
        let chromedriver = installed("chromedriver", "chromium-driver");
        let profile = tempfile::tempdir().expect("a directory for the browser's profile");

        // What Chromium writes beside its profile goes to its home: keep it out of the developer's.
        let mut driver = Process::start(Command::new(chromedriver).arg("--port=0").env("HOME", profile.path()));
        let port = driver.line(READY, |line| line.strip_prefix(READY)?.strip_suffix('.')?.parse::<u16>().ok()).await;

        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities(&chromium, profile.path()));
        let address = format!("http://127.0.0.1:{port}");
        let page = match tokio::time::timeout(PATIENCE, builder.connect(&address)).await {
            Ok(Ok(page)) => page,
            Ok(Err(error)) => panic!("Chromium does not start: {error}{driver}"),
            Err(elapsed) => panic!("Chromium does not start in {PATIENCE:?}: {elapsed}{driver}"),
        };
        let browser = Self { page, driver, _profile: profile };
        browser.viewport(1280, 800).await;
        browser
    }

    /// The page it shows, to visit, search, click and type.
    #[must_use]
    pub fn page(&self) -> &Client {
        &self.page
    }

    /// Sets the size of what a page can fill, in CSS pixels, below the least size of a window too.
    pub async fn viewport(&self, width: u32, height: u32) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics).await;
    }

    /// Sets the colours that the visitor prefers.
    pub async fn color_scheme(&self, scheme: ColorScheme) {
        let value = match scheme {
            ColorScheme::Light => "light",
            ColorScheme::Dark => "dark",
        };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        self.devtools("Emulation.setEmulatedMedia", &features).await;
    }

    /// Writes what the viewport shows to a PNG file.
    ///
    /// # Panics
    ///
    /// When the file can't be written.
    pub async fn screenshot(&self, path: impl AsRef<Path>) {
        let path = path.as_ref();
        let png = self.answer("screenshot", self.page.screenshot().await);
        if let Err(error) = std::fs::write(path, png) {
            panic!("can't write the screenshot {}: {error}", path.display());
        }
    }

    /// What has gone wrong in the page since the last call, as the browser's console says it: scripts that failed,
    /// files that are missing or that the content security policy refused.
    pub async fn console(&self) -> Vec<String> {
        let log = self.chromedriver("se/log", json!({ "type": "browser" })).await;
        let messages = log.as_array().into_iter().flatten();
        messages.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Closes it and waits until it has ended.
    pub async fn quit(mut self) {
        self.answer("close", self.page.clone().close().await);
        self.driver.terminate();
        self.driver.finished(Instant::now()).await;
    }

    /// Calls a method of Chromium's own protocol, for what `WebDriver` has no word for.
    async fn devtools(&self, method: &str, parameters: &Value) {
        self.chromedriver("goog/cdp/execute", json!({ "cmd": method, "params": parameters })).await;
    }

    async fn chromedriver(&self, path: &'static str, body: Value) -> Value {
        self.answer(path, self.page.issue_cmd(Extension { path, body }).await)
    }

    fn answer<T>(&self, command: &str, answer: Result<T, CmdError>) -> T {
        match answer {
            Ok(answer) => answer,
            Err(error) => panic!("the browser can't {command}: {error}{}", self.driver),
        }
    }
}

fn capabilities(chromium: &Path, profile: &Path) -> Capabilities {
    let arguments = [
        "--headless=new",
        // Containers, where CI runs: root has no sandbox there, and /dev/shm is too small for a large page.
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        // Tests stay on this machine, whatever a page asks for.
        "--no-proxy-server",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
        // The pipe to chromedriver ends with chromedriver, and the browser with the pipe.
        "--remote-debugging-pipe",
        &format!("--user-data-dir={}", profile.display()),
    ];
    let capabilities = json!({
        "goog:chromeOptions": { "binary": chromium, "args": arguments },
        "goog:loggingPrefs": { "browser": "ALL" },
    });
    serde_json::from_value(capabilities).expect("capabilities are an object")
}

/// Where a program is, by the `PATH`.
fn installed(program: &str, package: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).map(|directory| directory.join(program)).find(|file| file.is_file());
    found.unwrap_or_else(|| panic!("{program} is not installed: it is in Debian's package {package}"))
}

/// A command that chromedriver adds to `WebDriver`.
#[derive(Debug)]
struct Extension {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Extension {
    fn endpoint(&self, base_url: &Url, session_id: Option<&str>) -> Result<Url, ParseError> {
        base_url.join(&format!("session/{}/{}", session_id.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}
