//! A tiny key-value store and its client, for `tribunal audit file`: the first node keeps everything, the others pass on
//! what they are asked. And the ways in which such a program goes wrong.
//!
//! ```text
//! subject node LISTEN FIRST [FAULT]     serves at LISTEN; the first node is reached at FIRST, or is this one: "me"
//! subject client PORT [FAULT]           carries out what it is told, at the node that is reached at PORT
//! ```

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program of its own: its standard output and error are what it is about"
)]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

type Failure = Box<dyn Error + Send + Sync>;

/// Where the first node keeps everything, in the folder in which it is started.
const LOG: &str = "log";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ended = match *words {
        ["node", ref rest @ ..] => node(rest),
        ["client", port, ref fault @ ..] => client(port, fault.first().copied()),
        _ => Err("usage: subject node LISTEN FIRST [FAULT] | client PORT [FAULT]".into()),
    };
    match ended {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// What the first node keeps.
#[derive(Default)]
struct Store {
    values: BTreeMap<String, Value>,
    /// Nothing, if it forgets.
    log: Option<File>,
    served: u32,
}

/// How a node is.
#[derive(Clone)]
struct Node {
    /// Where the first node is; nothing if it is this one.
    first: Option<u16>,
    fault: Option<String>,
    store: Arc<Mutex<Store>>,
}

fn node(arguments: &[&str]) -> Result<u8, Failure> {
    let [listen, first, fault @ ..] = arguments else {
        return Err("a node wants LISTEN and FIRST".into());
    };
    let fault = fault.first().copied();
    if fault == Some("ends-at-start") {
        eprintln!("panic: I cannot begin");
        return Ok(3);
    }
    let mut store = Store::default();
    if fault != Some("forgets") {
        for line in fs::read_to_string(LOG).unwrap_or_default().lines() {
            // A kill may have torn the last one, which nobody was told of then.
            if let Ok((key, value)) = serde_json::from_str(line) {
                store.values.insert(key, value);
            }
        }
        store.log = Some(File::options().create(true).append(true).open(LOG)?);
    }
    if fault == Some("never-serves") {
        eprintln!("still thinking");
        io::stdin().read_line(&mut String::new())?;
        loop {
            std::thread::park();
        }
    }
    let node = Node {
        first: first.parse().ok(),
        fault: fault.map(str::to_owned),
        store: Arc::new(Mutex::new(store)),
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, listen.parse::<u16>()?))?;
    for connection in listener.incoming() {
        let (node, connection) = (node.clone(), connection?);
        // Who asked sees that the connection has ended.
        std::thread::spawn(move || node.serve(connection));
    }
    Ok(0)
}

impl Node {
    fn serve(&self, mut connection: TcpStream) -> Result<(), Failure> {
        for line in BufReader::new(connection.try_clone()?).lines() {
            let answer = self.answer(&line?)?;
            writeln!(connection, "{answer}")?;
        }
        Ok(())
    }

    fn answer(&self, line: &str) -> Result<Value, Failure> {
        let request: Value = serde_json::from_str(line)?;
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let key = request["key"].as_str().unwrap_or("register").to_owned();
        if let Some(first) = self.first {
            let answers_itself = self.fault.as_deref() == Some("answers-itself");
            if let (true, "read", Some(known)) = (
                answers_itself,
                request["f"].as_str().unwrap_or_default(),
                store.values.get(&key),
            ) {
                return Ok(json!({"type": "ok", "value": known}));
            }
            drop(store);
            let answer = ask(&mut connect(first)?, line)?;
            if answers_itself && answer["value"].is_number() {
                let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
                store.values.insert(key, answer["value"].clone());
            }
            return Ok(answer);
        }
        store.served += 1;
        if self.fault.as_deref() == Some("ends") && store.served > 20 {
            eprintln!("panic: twenty is enough");
            end_now();
        }
        store.carry_out(&request, key)
    }
}

#[expect(
    clippy::exit,
    clippy::disallowed_methods,
    reason = "a node that panics is wanted"
)]
fn end_now() {
    std::process::exit(7);
}

impl Store {
    fn carry_out(&mut self, request: &Value, key: String) -> Result<Value, Failure> {
        let known = self.values.get(&key).cloned().unwrap_or_default();
        let value = &request["value"];
        let new = match request["f"].as_str() {
            Some("read") => return Ok(json!({"type": "ok", "value": known})),
            Some("write") => value.clone(),
            Some("delete") => Value::Null,
            Some("cas") if known == value[0] => value[1].clone(),
            Some("cas") => return Ok(json!({"type": "fail", "error": "another value"})),
            _ => return Ok(json!({"type": "fail", "error": "not here"})),
        };
        if let Some(log) = &mut self.log {
            let line = format!("{}\n", serde_json::to_string(&(&key, &new))?);
            log.write_all(line.as_bytes())?;
        }
        self.values.insert(key, new);
        Ok(json!({"type": "ok"}))
    }
}

fn connect(port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    Ok(stream)
}

/// Asks over a connection. An error leaves open whether the request was carried out.
fn ask(stream: &mut TcpStream, line: &str) -> Result<Value, Failure> {
    stream.write_all(format!("{line}\n").as_bytes())?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer)?;
    Ok(serde_json::from_str(&answer)?)
}

fn client(port: &str, fault: Option<&str>) -> Result<u8, Failure> {
    let port: u16 = port.parse()?;
    let mut connection = None;
    if fault == Some("ends") {
        eprintln!("panic: I have no idea how to do this");
        return Ok(4);
    }
    for line in io::stdin().lines() {
        let line = line?;
        if fault == Some("speaks-rubbish") {
            eprintln!("warning: I am not sure about JSON");
            println!("The value is 3, I think.");
            continue;
        }
        let result = match connection.take().map_or_else(|| connect(port), Ok) {
            Err(error) => json!({"type": "fail", "error": error.to_string()}),
            Ok(mut stream) => match ask(&mut stream, &line) {
                Ok(answer) => {
                    connection = Some(stream);
                    answer
                }
                Err(error) => json!({"type": "info", "error": error.to_string()}),
            },
        };
        println!("{result}");
    }
    Ok(0)
}
