//! Rules that tie settings to each other; looked at once each is right by itself.

use super::{Refusal, Settings, address::HostPort};

/// What does not go together. `origin` tells where a setting came from.
pub(crate) fn check(settings: &Settings, origin: impl Fn(&str) -> String) -> Vec<Refusal> {
    [clients_need_an_address(settings), ports_differ(settings)]
        .into_iter()
        .chain(bounds_nest(settings))
        .flatten()
        .map(|Clash { setting, problem, fix }| Refusal {
            setting: setting.to_owned(),
            origin: origin(setting),
            problem,
            fix,
        })
        .collect()
}

struct Clash {
    setting: &'static str,
    problem: String,
    fix: String,
}

/// Metadata answers tell clients where to connect: 'every address' is no answer.
fn clients_need_an_address(settings: &Settings) -> Option<Clash> {
    let listen = HostPort::parse(&settings.broker.listen)?;
    (listen.is_wildcard() && settings.broker.advertise.is_empty()).then(|| Clash {
        setting: "broker.listen",
        problem: format!("clients cannot be told to connect to {}", settings.broker.listen),
        fix: "set broker.advertise to the HOST:PORT that clients reach this broker by".to_owned(),
    })
}

fn ports_differ(settings: &Settings) -> Option<Clash> {
    let listen = HostPort::parse(&settings.broker.listen)?;
    let admin = HostPort::parse(&settings.admin)?;
    let overlap = listen.host == admin.host || listen.is_wildcard() || admin.is_wildcard();
    (overlap && listen.port == admin.port && listen.port != 0).then(|| Clash {
        setting: "admin",
        problem: format!("port {} is the one of broker.listen", admin.port),
        fix: "give one of the two another port".to_owned(),
    })
}

fn bounds_nest(settings: &Settings) -> [Option<Clash>; 4] {
    let broker = &settings.broker;
    [
        at_most(
            ("broker.connections.request_bytes_max", broker.connections.request_bytes_max as u64),
            ("broker.connections.in_flight_bytes_max", broker.connections.in_flight_bytes_max as u64),
        ),
        at_most(
            (
                "broker.groups.session_timeout_min_ms",
                broker.groups.session_timeout_min_ms.unsigned_abs().into(),
            ),
            (
                "broker.groups.session_timeout_max_ms",
                broker.groups.session_timeout_max_ms.unsigned_abs().into(),
            ),
        ),
        at_most(
            ("broker.topics.max_message_bytes", broker.topics.max_message_bytes.unsigned_abs().into()),
            ("broker.topics.segment_bytes", broker.topics.segment_bytes.unsigned_abs().into()),
        ),
        // Some of them get lost.
        at_most(
            ("link.keep_alive_ms", settings.link.keep_alive_ms),
            ("a third of link.idle_timeout_ms", settings.link.idle_timeout_ms / 3),
        ),
    ]
}

fn at_most((lesser, low): (&'static str, u64), (greater, high): (&'static str, u64)) -> Option<Clash> {
    (low > high).then(|| Clash {
        setting: lesser,
        problem: format!("{low} is more than {greater}, which is {high}"),
        fix: format!("lower {lesser} or raise {greater}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut Settings)) -> Vec<String> {
        let mut settings = Settings::default();
        change(&mut settings);
        check(&settings, |_| "here".to_owned()).into_iter().map(|refusal| refusal.setting).collect()
    }

    #[test]
    fn the_defaults_go_together() {
        assert_eq!(refused(|_| ()), [""; 0]);
    }

    #[test]
    fn listening_everywhere_needs_an_advertised_address() {
        let everywhere = |settings: &mut Settings| settings.broker.listen = "0.0.0.0:9092".to_owned();
        assert_eq!(refused(everywhere), ["broker.listen"]);
        assert_eq!(
            refused(|settings| {
                everywhere(settings);
                settings.broker.advertise = "kafka:9092".to_owned();
            }),
            [""; 0]
        );
    }

    #[test]
    fn admin_and_clients_do_not_share_a_port() {
        assert_eq!(refused(|settings| settings.admin = "127.0.0.1:9092".to_owned()), ["admin"]);
        assert_eq!(refused(|settings| settings.admin = "0.0.0.0:9092".to_owned()), ["admin"]);
        assert_eq!(refused(|settings| settings.admin = "10.0.0.1:9092".to_owned()), [""; 0]);
    }

    #[test]
    fn any_free_port_may_be_asked_for_twice() {
        let free = |settings: &mut Settings| {
            settings.admin = "127.0.0.1:0".to_owned();
            settings.broker.listen = "127.0.0.1:0".to_owned();
        };
        assert_eq!(refused(free), [""; 0]);
    }

    #[test]
    fn bounds_must_nest() {
        assert_eq!(
            refused(|settings| settings.broker.connections.in_flight_bytes_max = 2_000),
            ["broker.connections.request_bytes_max"]
        );
        assert_eq!(
            refused(|settings| settings.broker.groups.session_timeout_max_ms = 5_999),
            ["broker.groups.session_timeout_min_ms"]
        );
        assert_eq!(
            refused(|settings| settings.broker.topics.segment_bytes = 4_096),
            ["broker.topics.max_message_bytes"]
        );
        assert_eq!(refused(|settings| settings.link.keep_alive_ms = 5_001), ["link.keep_alive_ms"]);
    }
}
