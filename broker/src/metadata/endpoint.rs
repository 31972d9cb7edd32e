//! How clients reach this broker.

use bytestring::ByteString;
use protocol::BrokerId;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerEndpoint {
    pub id: BrokerId,
    pub host: ByteString,
    pub port: u16,
    pub rack: Option<ByteString>,
}
