//! Everything that has a name, from the registries: what `tribunal list` shows and `docs/reference.md` has.
//!
//! A new kind of thing is a line in [`SECTIONS`] and a function; a new thing is a line in its own registry only.

use tribunal_checkers::model::Shape;
use tribunal_checkers::properties::properties_for;
use tribunal_histories::Format;
use tribunal_protocols::registry::{Protocol, protocols};
use tribunal_protocols::scenario::{SCENARIOS, Scenario};

use crate::audit::file::{self, Words};
use crate::audit::maelstrom::workload::{Dialogue, REGISTRY};
use crate::cli::explore::planted;
use crate::engine::engine;
use crate::nemesis::{FAMILIES, SELECTIONS};
use crate::plan::SCHEDULES;
use crate::workload;

/// Things of a kind.
#[derive(Debug)]
pub struct Section {
    /// The kind, as `tribunal list` calls it.
    pub name: &'static str,
    /// What such things are, and the option that chooses among them.
    pub about: &'static str,
    entries: fn() -> Vec<Entry>,
}

impl Section {
    /// The things.
    pub fn entries(&self) -> Vec<Entry> {
        (self.entries)()
    }

    /// The kind of that name; `checkers` is another name for models.
    pub fn named(name: &str) -> Option<&'static Self> {
        let name = if name == "checkers" { "models" } else { name };
        SECTIONS.iter().find(|section| section.name == name)
    }
}

/// A thing that has a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its short name, where it has one: `RF1`.
    pub id: Option<&'static str>,
    /// What it is called on the command line.
    pub name: String,
    /// What it is, in a sentence or a few.
    pub about: String,
    /// What else is to be known about it.
    pub facts: Vec<Fact>,
}

/// Something about a thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it is about: `source`.
    pub label: &'static str,
    /// It; several where there are several.
    pub texts: Vec<String>,
}

/// All kinds.
pub const SECTIONS: &[Section] = &[
    Section {
        name: "protocols",
        about: "What runs as a cluster: --protocol.",
        entries: known_protocols,
    },
    Section {
        name: "workloads",
        about: "What clients do to a cluster, and how their history is judged: --workload.",
        entries: workloads,
    },
    Section {
        name: "maelstrom-workloads",
        about: "What clients say to programs that speak Maelstrom's protocol: tribunal audit maelstrom --workload.",
        entries: maelstrom_workloads,
    },
    Section {
        name: "file-workloads",
        about: "What clients of subjects in files are told, and what they answer: tribunal audit file --workload.",
        entries: file_workloads,
    },
    Section {
        name: "nemeses",
        about: "What goes wrong: --nemesis, several with commas between them.",
        entries: nemeses,
    },
    Section {
        name: "schedules",
        about: "How the simulator chooses what happens next: --schedule.",
        entries: schedules,
    },
    Section {
        name: "models",
        about: "What a history is judged by: tribunal check --model.",
        entries: models,
    },
    Section {
        name: "properties",
        about: "What must hold of a cluster at every step of every run.",
        entries: properties,
    },
    Section {
        name: "bugs",
        about: "Planted bugs, each once a bug of a real system: --bugs, several with commas between them. They are off \
                unless named.",
        entries: bugs,
    },
    Section {
        name: "scenarios",
        about: "Runs written down step by step, from papers and from reports of bugs.",
        entries: scenarios,
    },
    Section {
        name: "expeditions",
        about: "Searches that tribunal explore recommends; the first of a protocol is the one without bounds.",
        entries: expeditions,
    },
    Section {
        name: "formats",
        about: "What histories are read from; content tells which it is, or tribunal check --from.",
        entries: formats,
    },
];

impl Entry {
    fn new(name: impl Into<String>, about: impl Into<String>) -> Self {
        Self {
            id: None,
            name: name.into(),
            about: about.into(),
            facts: Vec::new(),
        }
    }

    fn with_id(self, id: &'static str) -> Self {
        Self {
            id: Some(id),
            ..self
        }
    }

    /// The short name, if there is one, and the name.
    pub fn title(&self) -> String {
        let id = self.id.map_or_else(String::new, |id| format!("{id} "));
        id + &self.name
    }

    /// The entry with a fact more, unless there is nothing to say.
    fn with<T: ToString>(
        mut self,
        label: &'static str,
        texts: impl IntoIterator<Item = T>,
    ) -> Self {
        let texts: Vec<_> = texts.into_iter().map(|text| text.to_string()).collect();
        if !texts.is_empty() {
            self.facts.push(Fact { label, texts });
        }
        self
    }
}

fn known_protocols() -> Vec<Entry> {
    let entry = |protocol: &Protocol| {
        let properties = properties_for(protocol.name).unwrap_or_default();
        Entry::new(protocol.name, protocol.about)
            .with("properties", properties.iter().map(|info| info.id))
            .with("planted bugs", protocol.bugs.iter().map(|bug| bug.id))
    };
    protocols().map(entry).collect()
}

fn workloads() -> Vec<Entry> {
    let entry = |workload: &workload::Entry| {
        Entry::new(workload.name, workload.about)
            .with("judged by", [workload.model])
            .with(
                "must be seen",
                workload.probes.iter().map(|probe| probe.name),
            )
    };
    workload::REGISTRY.iter().map(entry).collect()
}

fn maelstrom_workloads() -> Vec<Entry> {
    let entry = |dialogue: &Dialogue| {
        let workload = dialogue.workload;
        Entry::new(workload.name, workload.about)
            .with("says", dialogue.bodies)
            .with("judged by", [workload.model])
            .with(
                "must be seen",
                workload.probes.iter().map(|probe| probe.name),
            )
    };
    REGISTRY.iter().map(entry).collect()
}

fn file_workloads() -> Vec<Entry> {
    let entry = |words: &Words| {
        let workload = words.entry;
        Entry::new(workload.name, workload.about)
            .with("says", words.operations)
            .with("judged by", [workload.model])
            .with(
                "must be seen",
                workload.probes.iter().map(|probe| probe.name),
            )
    };
    file::REGISTRY.iter().map(entry).collect()
}

fn nemeses() -> Vec<Entry> {
    let families = FAMILIES.iter().map(|family| {
        let variants = family
            .variants
            .iter()
            .map(|variant| format!("{}: {}", variant.name, variant.about));
        Entry::new(family.name, family.about)
            .with("needs to", family.needs)
            .with("variants", variants)
    });
    let selections = SELECTIONS
        .iter()
        .map(|(name, about)| Entry::new(*name, *about));
    families.chain(selections).collect()
}

fn schedules() -> Vec<Entry> {
    SCHEDULES
        .iter()
        .map(|(name, about)| Entry::new(*name, *about))
        .collect()
}

fn models() -> Vec<Entry> {
    let entry = |checker: &tribunal_checkers::CheckerEntry| {
        Entry::new(checker.name, checker.about)
            .with("also called", checker.aliases)
            .with("operations", checker.operations.iter().map(operation))
    };
    tribunal_checkers::registry().iter().map(entry).collect()
}

/// `read (r) → value`, `cas [from to]`.
fn operation(shape: &Shape) -> String {
    let mut text = shape.names[0].to_owned();
    if shape.names.len() > 1 {
        text = format!("{text} ({})", shape.names[1..].join(", "));
    }
    if !shape.input.is_empty() {
        text = format!("{text} {}", shape.input);
    }
    if !shape.output.is_empty() {
        text = format!("{text} → {}", shape.output);
    }
    text
}

fn properties() -> Vec<Entry> {
    let of = |protocol: &'static Protocol| {
        let properties = properties_for(protocol.name).unwrap_or_default();
        properties.iter().map(move |info| {
            Entry::new(info.name, info.statement)
                .with_id(info.id)
                .with("protocol", [protocol.name])
                .with("source", [info.source])
                .with("broken by", info.gated_by)
        })
    };
    // A property that several protocols share is listed once.
    let mut properties: Vec<Entry> = Vec::new();
    for property in protocols().flat_map(of) {
        let shared = properties
            .iter_mut()
            .find(|listed| listed.id == property.id && listed.name == property.name);
        match shared {
            Some(listed) => listed.facts[0]
                .texts
                .extend(property.facts[0].texts.clone()),
            None => properties.push(property),
        }
    }
    properties
}

fn bugs() -> Vec<Entry> {
    let of = |protocol: &'static Protocol| {
        protocol.bugs.iter().map(move |bug| {
            let found_by = bug.found_by.iter().map(|by| by.name());
            let explored_by = planted::command(protocol, bug);
            Entry::new(bug.name, bug.wrong)
                .with_id(bug.id)
                .with("protocol", [protocol.name])
                .with("breaks", bug.breaks)
                .with("minimum", [bug.minimum])
                .with("source", [bug.source])
                .with("found by", found_by)
                .with("explored by", explored_by)
        })
    };
    protocols().flat_map(of).collect()
}

fn scenarios() -> Vec<Entry> {
    let entry = |scenario: &Scenario<'static>| {
        Entry::new(scenario.name, scenario.about)
            .with_id(scenario.id)
            .with("protocol", [scenario.protocol])
            .with("verdict", [scenario.verdict])
    };
    SCENARIOS.iter().map(entry).collect()
}

fn expeditions() -> Vec<Entry> {
    let of = |protocol: &'static Protocol| {
        let rows = engine(protocol).grid().iter();
        rows.map(|row| {
            Entry::new(format!("{}/{}", protocol.name, row.name), row.about)
                .with("flags", [row.flags])
        })
    };
    protocols().flat_map(of).collect()
}

fn formats() -> Vec<Entry> {
    let entry = |format: Format| {
        let info = format.info();
        let extensions = info.extensions.iter().map(|name| format!(".{name}"));
        Entry::new(info.name, format!("{}.", info.description))
            .with("also called", info.aliases)
            .with("extensions", extensions)
    };
    Format::ALL.into_iter().map(entry).collect()
}
