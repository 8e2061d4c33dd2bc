//! An embedded broker: librdkafka's mock cluster, for demonstrations and tests that need nothing
//! installed.
//!
//! It speaks Kafka's protocol on loopback and keeps everything in memory: at most 5 MiB or 100,000
//! record batches a partition, the oldest going first. It knows groups and commits, but neither
//! compaction, nor aborted transactions, nor look-ups by time. A group's rebalance, but for its
//! first, takes `session.timeout.ms` less a second.

use std::fmt;

use rdkafka::error::KafkaError;
use rdkafka::mocking::MockCluster;

use crate::producer::Deliveries;
use crate::{Error, ErrorKind, Producer, Properties, config, ffi};

/// Brokers within this process. They end when it is dropped.
///
/// ```
/// use std::time::Duration;
/// use sabot_kafka::{Admin, Properties, embedded::EmbeddedBroker};
///
/// let broker = EmbeddedBroker::start(1)?;
/// broker.create_topic("orders", 3)?;
/// let admin = Admin::connect(broker.brokers(), &Properties::default(), Duration::from_secs(10))?;
/// assert_eq!(admin.topic("orders")?.partitions.len(), 3);
/// # Ok::<(), sabot_kafka::Error>(())
/// ```
pub struct EmbeddedBroker {
    /// The cluster belongs to this client.
    client: Producer,
    brokers: String,
}

impl EmbeddedBroker {
    /// Starts so many brokers on free ports of the loopback interface. A group's first rebalance is
    /// not delayed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Fatal`] if the ports cannot be opened.
    pub fn start(brokers: u16) -> Result<Self, Error> {
        let mut properties = Properties::default();
        properties.set("test.mock.num.brokers", brokers.max(1).to_string());
        let client = Producer::with_config(&config::producer("", &[&properties])?)?;
        let mut embedded = Self {
            client,
            brokers: String::new(),
        };
        let brokers = embedded.cluster()?.bootstrap_servers();
        embedded.brokers = brokers;
        ffi::set_initial_rebalance_delay(embedded.client.client(), 0);
        Ok(embedded)
    }

    /// The brokers' addresses, as `host:port` with commas between.
    #[must_use]
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// Makes a topic.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the name or the number of partitions is not allowed,
    /// [`ErrorKind::Fatal`] if there is a topic of that name.
    pub fn create_topic(&self, topic: &str, partitions: i32) -> Result<(), Error> {
        crate::subscription::check_topic(topic)?;
        if !(1..=10_000).contains(&partitions) {
            return Err(Error::config(format!(
                "topic {topic} cannot have {partitions} partitions"
            )));
        }
        self.cluster()?
            .create_topic(topic, partitions, 1)
            .map_err(|cause| failed(&cause).in_topic(topic))
    }

    /// Cuts all connections and refuses new ones, until [`EmbeddedBroker::up`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Fatal`] if the cluster does not obey.
    pub fn down(&self) -> Result<(), Error> {
        self.cluster()?.broker_down(-1).map_err(|cause| failed(&cause))
    }

    /// Accepts connections again.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Fatal`] if the cluster does not obey.
    pub fn up(&self) -> Result<(), Error> {
        self.cluster()?.broker_up(-1).map_err(|cause| failed(&cause))
    }

    fn cluster(&self) -> Result<MockCluster<'_, Deliveries>, Error> {
        let cluster = self.client.client().mock_cluster();
        cluster.ok_or_else(|| Error::new(ErrorKind::Fatal, "the embedded broker did not start"))
    }
}

impl fmt::Debug for EmbeddedBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedBroker")
            .field("brokers", &self.brokers)
            .finish_non_exhaustive()
    }
}

#[cold]
fn failed(cause: &KafkaError) -> Error {
    Error::kafka(ErrorKind::Fatal, "the embedded broker refused", cause)
}
