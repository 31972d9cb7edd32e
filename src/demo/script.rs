//! The script, from the first event to the report. Read it top-down: `play` is the whole story.

use std::{future, net::SocketAddr, time::Duration};

use tokio::{
    sync::watch,
    task::JoinSet,
    time::{self, Instant},
};

use mirror::ownership::FailoverReport;

use super::{
    admin,
    audit::audit,
    client::{Client, ClientError},
    error::DemoError,
    group,
    producer::{Home, Producer},
    progress::{Progress, State},
    reader,
    region::Region,
    report::{Course, Report},
    retry::Patience,
    sampler,
    world::{GROUP, PARTITIONS, TOPIC, UNIT, World},
};

const CREATED_WITHIN: Duration = Duration::from_secs(20);
const MIRRORED_WITHIN: Duration = Duration::from_secs(30);
const STEP_WITHIN: Duration = Duration::from_secs(60);

/// How much is produced.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    pub(super) rate: u64,
    pub(super) seconds: u64,
}

/// Plays the whole script against two daemons that are ready.
pub(super) async fn play(world: &World, progress: &Progress, load: Load) -> Result<Report, DemoError> {
    let began = Instant::now();
    let mut cast = Cast::new(world, progress);

    progress.enter("creating the topic");
    create_topic(world).await?;

    progress.enter("producing in us-east");
    let home = cast.produce(load.rate);
    let checkout = cast.consume(Region::East);
    cast.read_in_west();
    cast.sample();
    cast.during(time::sleep(Duration::from_secs(load.seconds))).await?;
    cast.until_mirrored().await?;

    progress.enter("moving the home to eu-west");
    checkout.stop(&mut cast).await?;
    let (moved, failover_ms) = cast.fail_over().await?;
    home.send_replace(Home::In(Region::West, world.endpoints(Region::West).kafka));
    progress.change(|state| state.home = Region::West);

    progress.enter("producing in eu-west");
    let checkout = cast.consume(Region::West);
    cast.during(time::sleep(Duration::from_millis(load.seconds * 500))).await?;
    cast.until("the first event acknowledged in eu-west", |state| state.ledger.has_reached(Region::West))
        .await?;
    home.send_replace(Home::Done);
    cast.until("the last acknowledgement", |state| state.answered).await?;
    cast.until_processed().await?;
    checkout.stop(&mut cast).await?;

    progress.enter("reading both sides");
    let ledger = progress.look(|state| state.ledger.clone());
    let found = cast.during(audit(world, &ledger)).await??;
    let elapsed_ms = millis(began.elapsed());
    let course = Course { failover_ms, elapsed_ms, rpo_records: moved.rpo_records, rto_ms: moved.rto_ms };
    for region in Region::BOTH {
        sampler::sample_last(progress, region, cast.kafka(region)).await?;
    }
    progress.enter("done");
    Ok(progress.look(|state| Report::new(state, found, course)))
}

/// What to try while the daemons go on.
pub(super) fn invitation(world: &World) -> String {
    let [east, west] = Region::BOTH.map(|region| world.endpoints(region).kafka);
    let gone = if world.folder.is_kept() { "" } else { ", and go at the end" };
    let (east_admin, west_admin) = (world.endpoints(Region::East).admin, world.endpoints(Region::West).admin);
    let try_these = [
        (
            format!("kcat -b {west} -C -t {TOPIC} -o -5 -e -f '%p/%o  %k = %s\\n'"),
            "the last events, in eu-west",
        ),
        (
            format!("kcat -b {east} -C -t {TOPIC} -o -5 -e -f '%p/%o  %k = %s\\n'"),
            "the same ones, in us-east",
        ),
        (format!("echo me:hello | kcat -b {west} -P -t {TOPIC} -K :"), "eu-west is the home now"),
        (format!("echo me:hello | kcat -b {east} -P -t {TOPIC} -K :"), "us-east refuses writes"),
        (format!("kcat -b {west} -G {GROUP} {TOPIC}"), "the group goes on where it is"),
        (format!("isthmus status --admin {west_admin}"), "links, lag, homes"),
        (format!("isthmus failover {UNIT} --to us-east --admin {east_admin}"), "and the way back"),
    ];
    let lines = try_these.map(|(command, what)| format!("  {command:<82} # {what}\n"));
    format!(
        "\nBoth datacenters go on until Ctrl-C. Try, in another terminal:\n\n{}\nFiles are in {}{gone}.\n",
        lines.concat(),
        world.folder.path().display(),
    )
}

/// A home that has just started refuses writes until it has heard from its standby, since that could have taken over.
async fn create_topic(world: &World) -> Result<(), ClientError> {
    let mut east = Client::open(world.endpoints(Region::East).kafka).await?;
    let patience = Patience::of(CREATED_WITHIN);
    while let Err(error) = east.create_topic(TOPIC, PARTITIONS).await {
        patience.after_policy(error).await?;
    }
    while let Err(error) = east.topic(TOPIC).await {
        patience.after(error).await?;
    }
    Ok(())
}

/// Everyone who plays, each a task of its own; all end with it. One that fails ends the script.
struct Cast<'a> {
    world: &'a World,
    progress: &'a Progress,
    tasks: JoinSet<Result<(), DemoError>>,
}

/// A task that ends when it is told to.
struct Stoppable {
    stop: watch::Sender<bool>,
    ended: watch::Receiver<bool>,
}

impl<'a> Cast<'a> {
    fn new(world: &'a World, progress: &'a Progress) -> Self {
        Self { world, progress, tasks: JoinSet::new() }
    }

    /// Events to wherever the home is.
    fn produce(&mut self, rate: u64) -> watch::Sender<Home> {
        let east = Home::In(Region::East, self.world.endpoints(Region::East).kafka);
        let (home, told) = watch::channel(east);
        self.tasks.spawn(Producer::new(self.progress.clone(), rate).run(told));
        home
    }

    fn consume(&mut self, region: Region) -> Stoppable {
        let (stop, told) = watch::channel(false);
        let (ending, ended) = watch::channel(false);
        let consumed = group::consume(self.progress.clone(), region, self.kafka(region), told);
        self.tasks.spawn(async move {
            let consumed = consumed.await;
            ending.send_replace(consumed.is_ok());
            consumed
        });
        Stoppable { stop, ended }
    }

    fn read_in_west(&mut self) {
        self.tasks.spawn(reader::watch(self.progress.clone(), self.kafka(Region::West)));
    }

    fn sample(&mut self) {
        for region in Region::BOTH {
            let sampled = sampler::sample(self.progress.clone(), region, self.kafka(region));
            self.tasks.spawn(async move {
                sampled.await;
                Ok(())
            });
        }
    }

    async fn fail_over(&mut self) -> Result<(FailoverReport, u64), DemoError> {
        let began = Instant::now();
        let world = self.world;
        let report = self.during(admin::fail_over(world, Region::West)).await??;
        Ok((report, millis(began.elapsed())))
    }

    /// Something has arrived in eu-west at all; the failover itself waits for the rest.
    async fn until_mirrored(&mut self) -> Result<(), DemoError> {
        let progress = self.progress;
        let mirrored = progress.until(|state| state.ledger.has_arrived());
        let mirrored = time::timeout(MIRRORED_WITHIN, mirrored);
        let late =
            |_| DemoError::Late { step: "the first event on its way to eu-west", within: MIRRORED_WITHIN };
        self.during(mirrored).await?.map_err(late)
    }

    /// The group has committed everything that eu-west has; nobody writes there any more.
    async fn until_processed(&mut self) -> Result<(), DemoError> {
        let mut west = Client::open(self.kafka(Region::West)).await?;
        let end: i64 = west.ends(TOPIC, PARTITIONS).await?.iter().sum();
        let there = |group: i64| group >= end;
        self.until("the group reaching the end", |state| state.seen(Region::West).group.is_some_and(there))
            .await
    }

    async fn until(
        &mut self,
        step: &'static str,
        holds: impl FnMut(&State) -> bool,
    ) -> Result<(), DemoError> {
        let progress = self.progress;
        let reached = time::timeout(STEP_WITHIN, progress.until(holds));
        self.during(reached).await?.map_err(|_| DemoError::Late { step, within: STEP_WITHIN })
    }

    /// Awaits something, unless one of the cast fails before.
    async fn during<T>(&mut self, awaited: impl Future<Output = T>) -> Result<T, DemoError> {
        tokio::select! {
            done = awaited => Ok(done),
            failed = failure(&mut self.tasks) => Err(failed),
        }
    }

    fn kafka(&self, region: Region) -> SocketAddr {
        self.world.endpoints(region).kafka
    }
}

impl Stoppable {
    /// Returns when it has ended.
    async fn stop(mut self, cast: &mut Cast<'_>) -> Result<(), DemoError> {
        self.stop.send_replace(true);
        let ended = async { drop(self.ended.wait_for(|ended| *ended).await) };
        let late = |_| DemoError::Late { step: "the group stopping", within: STEP_WITHIN };
        cast.during(time::timeout(STEP_WITHIN, ended)).await?.map_err(late)
    }
}

/// The first task that fails; those that end well are done.
async fn failure(tasks: &mut JoinSet<Result<(), DemoError>>) -> DemoError {
    loop {
        match tasks.join_next().await {
            Some(Ok(Ok(()))) => {}
            Some(Ok(Err(error))) => return error,
            Some(Err(error)) => return DemoError::Broken(error.to_string()),
            None => return future::pending().await,
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
