//! Every key of the file, once: the parser knows no other key, the reference table in `docs/topology.md` is printed from here, and a
//! test compares the two.

/// A map of the file whose keys are fixed.
#[derive(Debug)]
pub struct Table {
    /// Where it stands: `links[].topics[]`.
    pub path: &'static str,
    /// What one is called in a message, with its article.
    pub called: &'static str,
    pub keys: &'static [Key],
}

#[derive(Debug)]
pub struct Key {
    pub name: &'static str,
    pub kind: &'static str,
    /// What holds when the key is left out; `None` = it must be there.
    pub default: Option<&'static str>,
    pub meaning: &'static str,
    /// The first version of the daemon that does what the key says.
    pub since: &'static str,
}

pub const TABLES: [&Table; 10] =
    [&FILE, &DATACENTER, &KAFKA_CLUSTER, &NODE, &LINK, &TOPICS, &GROUPS, &COMPRESSION, &LIMITS, &FAILOVER];

/// `since` of what the format has a place for and no version does yet.
pub const NOT_YET: &str = "not yet";

pub const FILE: Table = Table {
    path: "(file)",
    called: "a topology",
    keys: &[
        key("version", "integer", None, "Version of this format: `1`.", "0.1"),
        key(
            "name",
            "name",
            None,
            "Name of the topology. It is the trust domain of all certificates, so a new name needs new certificates.",
            "0.1",
        ),
        key("datacenters", "map of name to datacenter", None, "Every datacenter by its name.", "0.1"),
        key("links", "list of links", Some("no links"), "What flows from where to where.", "0.1"),
        key(
            "failover",
            "list of failover units",
            Some("no units"),
            "What can change its home, and where to.",
            "0.1",
        ),
    ],
};

pub const DATACENTER: Table = Table {
    path: "datacenters.NAME",
    called: "a datacenter",
    keys: &[
        key(
            "id",
            "integer, 1 to 2147483",
            Some("required with `nodes`"),
            "Number of the datacenter, unique, never changed: a broker's id is this times 1000 plus the node's place in the list.",
            "0.1",
        ),
        key(
            "nodes",
            "list of nodes",
            Some("required without `kafka_cluster`"),
            "Our daemons there. One node per datacenter is served today.",
            "0.1",
        ),
        key(
            "kafka_cluster",
            "map",
            Some("required without `nodes`"),
            "An Apache Kafka cluster run by others, instead of nodes. It can be declared; no link or unit can name it yet.",
            NOT_YET,
        ),
    ],
};

pub const KAFKA_CLUSTER: Table = Table {
    path: "datacenters.NAME.kafka_cluster",
    called: "a Kafka cluster",
    keys: &[key("bootstrap", "list of host:port", None, "Where its brokers are found.", NOT_YET)],
};

pub const NODE: Table = Table {
    path: "datacenters.NAME.nodes[]",
    called: "a node",
    keys: &[
        key(
            "name",
            "name",
            None,
            "Unique in the whole file; part of the node's certificate; what `--node` takes.",
            "0.1",
        ),
        key(
            "kafka",
            "host:port",
            None,
            "Where Kafka clients reach the node (TCP). Clients are told this address. An IP address is listened on as it is; a \
             name listens on all addresses of the machine (`localhost`: on loopback).",
            "0.1",
        ),
        key(
            "link",
            "host:port",
            Some("required when a link touches the datacenter"),
            "Where other datacenters reach the node (UDP, QUIC).",
            "0.1",
        ),
    ],
};

pub const LINK: Table = Table {
    path: "links[]",
    called: "a link",
    keys: &[
        key("from", "datacenter", None, "The source. One link per direction and pair.", "0.1"),
        key("to", "datacenter", None, "The target.", "0.1"),
        key(
            "topics",
            "list of topic rules",
            None,
            "Which topics flow: the first rule that matches a topic decides.",
            "0.1",
        ),
        key("groups", "map", Some("no groups"), "Which consumer groups' positions follow.", "0.1"),
        key("compression", "map", Some("`codec: auto`"), "Compression on the wire.", "0.1"),
        key("limits", "map", Some("no limits"), "Limits of the link.", "0.1"),
        key(
            "on_gap",
            "`stop`",
            Some("`stop`"),
            "What happens to a partition whose source lost records before they were mirrored: it stops and says why.",
            "0.1",
        ),
    ],
};

pub const TOPICS: Table = Table {
    path: "links[].topics[]",
    called: "a topic rule",
    keys: &[
        key("match", "topic pattern", None, "Which topics of the source.", "0.1"),
        key(
            "mode",
            "`replica`, `merged`",
            Some("`replica`"),
            "`replica`: same name, same topic id, same offsets, read-only at the target. `merged`: several sources into one topic, \
             offsets translated.",
            "0.1",
        ),
        key(
            "into",
            "topic name",
            Some("required with `merged`"),
            "The topic at the target; only with `merged`.",
            "0.1",
        ),
    ],
};

pub const GROUPS: Table = Table {
    path: "links[].groups",
    called: "a group selection",
    keys: &[key("match", "group pattern, or a list of them", None, "Which groups of the source.", "0.1")],
};

pub const COMPRESSION: Table = Table {
    path: "links[].compression",
    called: "compression",
    keys: &[key(
        "codec",
        "`auto`, `zstd`, `lz4`, `off`",
        Some("`auto`"),
        "Codec for runs of uncompressed batches; batches that a producer compressed pass as they are. `auto` takes zstd, and skips \
         what does not shrink; within a site (a round trip below 2 ms and packets of 4,000 bytes or more) it sends plain, which \
         costs less there, unless the line proves slow.",
        "0.1",
    )],
};

pub const LIMITS: Table = Table {
    path: "links[].limits",
    called: "limits",
    keys: &[key(
        "rate",
        "rate",
        Some("no limit"),
        "Most bytes per second that the link sends, on the wire.",
        "0.1",
    )],
};

pub const FAILOVER: Table = Table {
    path: "failover[]",
    called: "a failover unit",
    keys: &[
        key("name", "name", None, "Unique; what `isthmus failover` takes.", "0.1"),
        key(
            "topics",
            "list of topic patterns",
            None,
            "Topics that move together. A topic is in one unit at most.",
            "0.1",
        ),
        key("groups", "list of group patterns", Some("no groups"), "Groups that move with them.", "0.1"),
        key(
            "home",
            "datacenter",
            None,
            "Where the topics are writable at first. A failover moves the home without this file.",
            "0.1",
        ),
        key("standby", "list of datacenters", None, "Where the home can move to.", "0.1"),
        key(
            "when_apart",
            "`wait`, `quarantine`",
            Some("`wait`"),
            "What a datacenter that lost touch does until it has heard who is home: refuse writes, or admit them and set them \
             aside if another one had become the home.",
            "0.1",
        ),
    ],
};

impl Table {
    pub(crate) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

/// The reference tables of `docs/topology.md`.
pub fn reference_markdown() -> String {
    let mut page = String::new();
    for table in TABLES {
        page.push_str(&format!("### `{}`\n\n", table.path));
        page.push_str("| Key | Type | Default | Meaning | Since |\n| --- | --- | --- | --- | --- |\n");
        for Key { name, kind, default, meaning, since } in table.keys {
            let default = default.unwrap_or("**required**");
            page.push_str(&format!("| `{name}` | {kind} | {default} | {meaning} | {since} |\n"));
        }
        page.push('\n');
    }
    page
}

const fn key(
    name: &'static str,
    kind: &'static str,
    default: Option<&'static str>,
    meaning: &'static str,
    since: &'static str,
) -> Key {
    Key { name, kind, default, meaning, since }
}
