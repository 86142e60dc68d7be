//! A connector, its device, and elements of it that run.

use std::{fs, path::PathBuf, process::Output};

use tempfile::TempDir;

use crate::support::{Bowline, address_of, run};

/// The connector of a meter.
pub(crate) const METER: &str = include_str!("meter.xml");

/// A device that greets once it is connected, and answers greetings.
const DEVICE: &str = r#"
    [[on]]
    open = true
    send = ["ready"]
    [[on]]
    contains = "hello"
    send = ["hi there"]
    [[on]]
    contains = "secret"
    send = ["well done"]
    [[on]]
    contains = "bye"
    close = 1000
"#;

/// A folder with the connector, and a device that runs.
pub(crate) struct Bench {
    folder: TempDir,
    device: Option<Bowline>,
    pub(crate) url: String,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("meter.xml"), METER).unwrap();
        let script = folder.path().join("device.script");
        fs::write(&script, DEVICE).unwrap();
        let script = script.to_str().unwrap();
        let (device, url) = serve(script, "127.0.0.1:0");
        Self {
            folder,
            device: Some(device),
            url,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn text_path(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Writes the file of an element of the meter.
    pub(crate) fn element(&self, file: &str, name: &str) -> String {
        let connector = self.text_path("meter.xml");
        let url = &self.url;
        let text = format!(
            "connector = \"{connector}\"\nname = \"{name}\"\n[links.0]\nendpoints = [\"{url}\"]\n"
        );
        self.write(file, &text)
    }

    /// Runs the meter alone, with further arguments, until it is started.
    pub(crate) fn run(&self, more: &[&str]) -> Element {
        let meter = self.text_path("meter.xml");
        let args = [&[&*meter, "--endpoint", &self.url], more].concat();
        self.run_with(&args)
    }

    /// Runs elements by these arguments, with the data folder of this bench.
    pub(crate) fn run_with(&self, args: &[&str]) -> Element {
        let data = self.data();
        let all = [&["run", "--data", &data], args].concat();
        Element(Bowline::start(&all))
    }

    pub(crate) fn data(&self) -> String {
        self.text_path("data")
    }

    /// Runs a command with the data folder to its end.
    pub(crate) fn command(&self, args: &[&str]) -> Output {
        let data = self.data();
        run(&[args, &["--data", &data]].concat())
    }

    /// Runs a command that works, with the data folder, and gives what it says.
    #[track_caller]
    pub(crate) fn said(&self, args: &[&str]) -> String {
        let data = self.data();
        said(&[args, &["--data", &data]].concat())
    }

    pub(crate) fn stop_device(&mut self) {
        let device = self.device.take().expect("the device runs");
        assert_eq!(device.terminate(), Some(0));
    }

    /// Starts it again where it was.
    pub(crate) fn start_device(&mut self) {
        let script = self.text_path("device.script");
        let (device, url) = serve(&script, address_of(&self.url));
        assert_eq!(url, self.url);
        self.device = Some(device);
    }
}

/// Runs a command that works, and gives what it says.
#[track_caller]
pub(crate) fn said(args: &[&str]) -> String {
    let output = run(args);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {complaint}");
    String::from_utf8(output.stdout).unwrap()
}

fn serve(script: &str, address: &str) -> (Bowline, String) {
    Bowline::serve(&["simulate", "--script", script, "--listen", address])
}

/// Elements that run, and the lines they write.
pub(crate) struct Element(pub(crate) Bowline);

impl Element {
    /// Reads lines until one ends so after its time, and gives those before.
    #[track_caller]
    pub(crate) fn until(&mut self, end: &str) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let line = self.0.line();
            assert_ne!(line, "", "the output ended before {end}; it was {lines:#?}");
            let (time, told) = line.split_once(' ').unwrap();
            assert!(time.ends_with('Z'), "{line}");
            if told == end {
                return lines;
            }
            lines.push(told.to_owned());
        }
    }

    /// Ends it in order, and gives the rest of its lines.
    #[track_caller]
    pub(crate) fn stop(mut self) -> String {
        self.0.signal("TERM");
        let rest = self.0.rest();
        assert_eq!(self.0.wait().code(), Some(0), "{rest}");
        rest
    }
}
