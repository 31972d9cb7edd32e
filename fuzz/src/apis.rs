//! Every declared message, as a list for macros and as a table for code that takes its messages by key.

use std::{fmt::Debug, ops::RangeInclusive};

use bytes::Bytes;

use protocol::{
    codec::{Api, DecodeError, Encoder, Kind, Layout, Schema},
    messages,
};

/// Calls another macro with `module: Request, Response;` for each API.
macro_rules! each_api {
    ($then:ident) => {
        $then! {
            k00_produce: ProduceRequest, ProduceResponse;
            k01_fetch: FetchRequest, FetchResponse;
            k02_list_offsets: ListOffsetsRequest, ListOffsetsResponse;
            k03_metadata: MetadataRequest, MetadataResponse;
            k08_offset_commit: OffsetCommitRequest, OffsetCommitResponse;
            k09_offset_fetch: OffsetFetchRequest, OffsetFetchResponse;
            k10_find_coordinator: FindCoordinatorRequest, FindCoordinatorResponse;
            k11_join_group: JoinGroupRequest, JoinGroupResponse;
            k12_heartbeat: HeartbeatRequest, HeartbeatResponse;
            k13_leave_group: LeaveGroupRequest, LeaveGroupResponse;
            k14_sync_group: SyncGroupRequest, SyncGroupResponse;
            k15_describe_groups: DescribeGroupsRequest, DescribeGroupsResponse;
            k16_list_groups: ListGroupsRequest, ListGroupsResponse;
            k18_api_versions: ApiVersionsRequest, ApiVersionsResponse;
            k19_create_topics: CreateTopicsRequest, CreateTopicsResponse;
            k20_delete_topics: DeleteTopicsRequest, DeleteTopicsResponse;
            k21_delete_records: DeleteRecordsRequest, DeleteRecordsResponse;
            k22_init_producer_id: InitProducerIdRequest, InitProducerIdResponse;
            k23_offset_for_leader_epoch: OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse;
            k32_describe_configs: DescribeConfigsRequest, DescribeConfigsResponse;
            k33_alter_configs: AlterConfigsRequest, AlterConfigsResponse;
            k35_describe_log_dirs: DescribeLogDirsRequest, DescribeLogDirsResponse;
            k37_create_partitions: CreatePartitionsRequest, CreatePartitionsResponse;
            k42_delete_groups: DeleteGroupsRequest, DeleteGroupsResponse;
            k44_incremental_alter_configs: IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse;
            k47_offset_delete: OffsetDeleteRequest, OffsetDeleteResponse;
            k60_describe_cluster: DescribeClusterRequest, DescribeClusterResponse;
            k75_describe_topic_partitions: DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse;
        }
    };
}
#[allow(unused_imports, reason = "the fuzzers need the table only, the tests both")]
pub(crate) use each_api;

/// A message type without its type.
pub struct Declared {
    pub name: &'static str,
    pub key: i16,
    pub is_request: bool,
    pub versions: RangeInclusive<i16>,
    pub layout: fn(i16) -> Layout,
    pub schema: &'static Schema,
    /// Decodes a body and drops what it says.
    pub read: fn(Bytes, i16) -> Result<(), DecodeError>,
    /// Decodes a body and encodes it again.
    pub recode: fn(Bytes, i16) -> Result<Bytes, DecodeError>,
    /// Encodes the message's default; why not, if a version cannot carry it.
    pub encode_default: fn(i16) -> Result<Bytes, String>,
    /// Decodes a body and prints it with [`Debug`].
    pub print: fn(Bytes, i16) -> Result<String, DecodeError>,
}

macro_rules! table {
    ($($module:ident: $request:ident, $response:ident;)*) => {
        /// By key, requests before responses.
        pub const DECLARED: &[Declared] = &[
            $(
                declared::<messages::$module::$request>(true),
                declared::<messages::$module::$response>(false),
            )*
        ];
    };
}

each_api!(table);

/// The declaration of one direction of an API.
pub fn find(key: i16, is_request: bool) -> Option<&'static Declared> {
    DECLARED.iter().find(|declared| declared.key == key && declared.is_request == is_request)
}

const fn declared<M: Api + Default + Debug + PartialEq>(is_request: bool) -> Declared {
    let Kind::Struct(schema) = M::KIND else { panic!("a message is a struct") };
    Declared {
        name: M::NAME,
        key: M::KEY,
        is_request,
        versions: M::VERSIONS,
        layout: M::layout,
        schema,
        read: |body, version| M::read(body, version).map(drop),
        recode: recode::<M>,
        encode_default: |version| encode(&M::default(), version),
        print: |body, version| M::read(body, version).map(|message| format!("{message:?}")),
    }
}

/// # Panics
///
/// If a decoded message cannot be encoded, or decodes to another: what was read can always be written.
fn recode<M: Api + Debug + PartialEq>(body: Bytes, version: i16) -> Result<Bytes, DecodeError> {
    let message = M::read(body, version)?;
    let encoded = encode(&message, version).expect("a decoded message can be encoded in its version");
    let again = M::read(encoded.clone(), version).expect("an encoded message can be decoded");
    assert_eq!(message, again);
    Ok(encoded)
}

fn encode<M: Api>(message: &M, version: i16) -> Result<Bytes, String> {
    let mut to = Encoder::new();
    message.write(&mut to, version).map_err(|error| error.to_string())?;
    Ok(to.into_bytes())
}
