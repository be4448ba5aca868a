//! Profiles: a flag's default can come from `tribunal.toml`.
//!
//! What a profile sets becomes the default value of the flag of that name, before the arguments are parsed. So the
//! precedence is flag, environment, profile, built-in default, and the checks of a value are the flag's own.

use std::collections::BTreeMap;
use std::path::Path;

use clap::parser::ValueSource;
use serde::{Deserialize, Serialize};
use toml::{Spanned, Value};

use super::exit::Failure;

/// The file that is read when none is named.
const FILE: &str = "tribunal.toml";
/// The profile that is taken when none is named.
const PROFILE: &str = "default";
/// The key that names the profile below.
const INHERITS: &str = "inherits";

type Keys = BTreeMap<String, Spanned<Value>>;

/// A configuration file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    profile: BTreeMap<String, Keys>,
}

/// A profile with what it inherits.
#[derive(Debug, Default)]
pub(crate) struct Profile {
    name: String,
    settings: BTreeMap<String, Setting>,
}

#[derive(Debug)]
struct Setting {
    value: String,
    place: String,
}

/// Loads a profile. Without a name it is `default`, which need not exist; nor need the file that nobody named.
///
/// # Errors
/// What was named and does not exist; a file that is not as it should be, with the line.
pub(crate) fn load(file: Option<&Path>, name: Option<&str>) -> Result<Profile, Failure> {
    let path = file.unwrap_or(Path::new(FILE));
    if file.is_none() && !path.exists() {
        return match name {
            None => Ok(Profile::default()),
            Some(name) => Err(Failure::usage(format!(
                "profile `{name}`: there is no {FILE} here"
            ))),
        };
    }
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::io(format!("cannot read {}: {error}", path.display())))?;
    let wrong = |error| Failure::usage(format!("{}: {error}", path.display()));
    let file: File = toml::from_str(&text).map_err(wrong)?;
    let place = |value: &Spanned<Value>| {
        let line = text[..value.span().start].matches('\n').count() + 1;
        format!("{}, line {line}", path.display())
    };
    let mut profile = Profile {
        name: name.unwrap_or(PROFILE).to_owned(),
        settings: BTreeMap::new(),
    };
    let mut next = Some(profile.name.clone());
    let mut seen = Vec::new();
    while let Some(current) = next.take() {
        let Some(keys) = file.profile.get(&current) else {
            if name.is_none() && seen.is_empty() {
                break;
            }
            let names: Vec<_> = file.profile.keys().map(String::as_str).collect();
            return Err(Failure::usage(format!(
                "{}: there is no profile `{current}`; there are: {}",
                path.display(),
                names.join(", ")
            )));
        };
        if seen.contains(&current) {
            let message = format!("{}: profile `{current}` inherits itself", path.display());
            return Err(Failure::usage(message));
        }
        for (key, value) in keys {
            let text = written(value.get_ref()).ok_or_else(|| {
                Failure::usage(format!("{}: `{key}` has no such value", place(value)))
            })?;
            if key == INHERITS {
                next = Some(text);
            } else {
                let place = place(value);
                profile
                    .settings
                    .entry(key.clone())
                    .or_insert(Setting { value: text, place });
            }
        }
        seen.push(current);
    }
    Ok(profile)
}

/// A value as it would be written on the command line.
fn written(value: &Value) -> Option<String> {
    Some(match value {
        Value::String(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Boolean(truth) => truth.to_string(),
        Value::Array(items) => items
            .iter()
            .map(written)
            .collect::<Option<Vec<_>>>()?
            .join(","),
        Value::Datetime(_) | Value::Table(_) => return None,
    })
}

impl Profile {
    /// The command with this profile's settings as the defaults of its flags.
    ///
    /// # Errors
    /// A key that is no flag of any subcommand.
    pub(crate) fn defaults_of(&self, mut command: clap::Command) -> Result<clap::Command, Failure> {
        for (key, Setting { value, place }) in &self.settings {
            // clap keeps its texts for as long as the process lives, and this runs once.
            let mut known = false;
            command = with_default(command, key, value.clone().leak(), &mut known);
            if !known {
                return Err(Failure::usage(format!(
                    "{place}: no command has a flag --{key}"
                )));
            }
        }
        Ok(command)
    }
}

/// The subcommands of a command, with this default where they have the flag; `known` if one has it.
fn with_default(
    mut command: clap::Command,
    key: &str,
    value: &'static str,
    known: &mut bool,
) -> clap::Command {
    // A node of a live cluster is what its command line says, whatever profile its harness has.
    let subcommands: Vec<_> = command
        .get_subcommands()
        .filter(|sub| !sub.is_hide_set())
        .map(|sub| sub.get_name().to_owned())
        .collect();
    for name in subcommands {
        command = command.mut_subcommand(name, |mut sub| {
            if let Some(id) = flag(&sub, key) {
                *known = true;
                sub = sub.mut_arg(id, |arg| arg.default_value(value).required(false));
            }
            with_default(sub, key, value, known)
        });
    }
    command
}

fn flag(command: &clap::Command, long: &str) -> Option<clap::Id> {
    let mut arguments = command.get_arguments();
    let found = arguments.find(|argument| argument.get_long() == Some(long));
    found.map(|argument| argument.get_id().clone())
}

/// A flag's value and who set it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Origin {
    /// The value.
    pub(crate) value: String,
    /// `command line`, `environment`, `profile ci`, `default`.
    pub(crate) origin: String,
}

/// The values of all flags.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Resolved(pub(crate) BTreeMap<String, Origin>);

impl Resolved {
    /// The values that were parsed.
    pub(crate) fn of(matches: &clap::ArgMatches, profile: &Profile) -> Self {
        let Some((_, mut matches)) = matches.subcommand() else {
            return Self(BTreeMap::new());
        };
        while let Some((_, inner)) = matches.subcommand() {
            matches = inner;
        }
        let mut flags = BTreeMap::new();
        for id in matches.ids() {
            let name = id.as_str().replace('_', "-");
            // Groups of flags have ids too, and no values.
            let Ok(Some(raw)) = matches.try_get_raw(id.as_str()) else {
                continue;
            };
            let value: Vec<_> = raw.map(|part| part.to_string_lossy()).collect();
            let origin = match matches.value_source(id.as_str()) {
                Some(ValueSource::CommandLine) => "command line".to_owned(),
                Some(ValueSource::EnvVariable) => "environment".to_owned(),
                _ if profile.settings.contains_key(&name) => format!("profile {}", profile.name),
                _ => "default".to_owned(),
            };
            let value = value.join(",");
            flags.insert(name, Origin { value, origin });
        }
        Self(flags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(text: &str, name: Option<&str>) -> Result<Profile, Failure> {
        let directory = tempfile::tempdir().expect("there is room");
        let path = directory.path().join(FILE);
        std::fs::write(&path, text).expect("it can be written");
        load(Some(&path), name)
    }

    const TEXT: &str = "[profile.default]\nnodes = 3\n\n[profile.ci]\ninherits = 'default'\n\
                        workload = ['kv', 'append']\nops = 20\n";

    #[test]
    fn a_profile_inherits_and_overrides() {
        let profile = loaded(TEXT, Some("ci")).unwrap();
        let value = |key: &str| {
            profile
                .settings
                .get(key)
                .map(|setting| setting.value.as_str())
        };
        assert_eq!(value("nodes"), Some("3"));
        assert_eq!(value("workload"), Some("kv,append"));
        assert_eq!(value(INHERITS), None);
        assert_eq!(loaded(TEXT, None).unwrap().settings.len(), 1);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let message = |text: &str, name| loaded(text, name).unwrap_err().message;
        assert!(
            message(TEXT, Some("night")).contains("no profile `night`; there are: ci, default")
        );
        assert!(message("[profil]\n", None).contains("unknown field `profil`"));
        let circle = "[profile.a]\ninherits = 'a'\n";
        assert!(message(circle, Some("a")).contains("inherits itself"));
        let unknown = loaded("[profile.default]\nnodes = 3\nnods = 3\n", None).unwrap();
        let command = clap::Command::new("t")
            .subcommand(clap::Command::new("s").arg(clap::Arg::new("nodes").long("nodes")));
        let error = unknown.defaults_of(command).unwrap_err();
        assert!(
            error
                .message
                .ends_with("line 3: no command has a flag --nods"),
            "{error}"
        );
    }
}
