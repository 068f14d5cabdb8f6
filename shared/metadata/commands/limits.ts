/** Partitions that one request may create in all: at some 45 bytes each they fill an entry of the log to a third. */
export const partitionsPerRequestMax = 2_000;

/** Partitions of one topic. */
export const partitionsPerTopicMax = 10_000;

/** Topics in one request. */
export const topicsPerRequestMax = 1_000;

/** Resources whose configurations one request may change. */
export const configResourcesPerRequestMax = 1_000;

/** Characters of a topic name: Kafka's limit, which leaves room in a file name. */
export const topicNameCharactersMax = 249;

/** Replicas of a partition. */
export const replicationFactorMax = 15;

/** Producer ids given out at once. */
export const producerIdBlock = 1_000;

/** Producer ids of one cell; the cell's number stands above them, so that they are unique in the fleet. */
export const producerIdsPerCell = 2 ** 40;

/** Cells of a fleet: what is left of the 2^53 integers that a number holds exactly. */
export const cellNumberMax = 2 ** 13 - 1;

/** Characters of a logical cluster's name, a principal, an API key's id. */
export const nameCharactersMax = 128;

/** Highest broker id: 31 bits, as in the Kafka protocol. */
export const brokerIdMax = 2 ** 31 - 1;

/** Characters of one config value. */
export const configValueCharactersMax = 8 * 1024;

/** Overrides of one resource. */
export const configOverridesMax = 200;
