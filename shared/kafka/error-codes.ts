/**
 * Every error code of the Kafka protocol up to Apache Kafka 4.3. Names and numbers are the protocol's; whether a
 * client may simply try again is what Apache's clients do with the code; the messages are ours and may be shown to a
 * tenant, so they tell what to do about it and nothing about our insides.
 */
interface ErrorRow {
  readonly code: number;
  /** Whether repeating the same request, perhaps after fresh metadata, can succeed. */
  readonly retriable: boolean;
  readonly message: string;
}

function fatal(code: number, message: string): ErrorRow {
  return Object.freeze({ code, retriable: false, message });
}

function retriable(code: number, message: string): ErrorRow {
  return Object.freeze({ code, retriable: true, message });
}

const rows = {
  UNKNOWN_SERVER_ERROR: fatal(-1, "The broker failed in a way it did not expect."),
  NONE: fatal(0, "No error."),
  OFFSET_OUT_OF_RANGE: fatal(1, "The offset lies outside of what the partition holds."),
  CORRUPT_MESSAGE: retriable(2, "The record data does not match its checksum or is otherwise damaged."),
  UNKNOWN_TOPIC_OR_PARTITION: retriable(3, "There is no such topic or partition here."),
  INVALID_FETCH_SIZE: fatal(4, "The fetch size is not valid."),
  LEADER_NOT_AVAILABLE: retriable(5, "The partition has no leader at the moment."),
  NOT_LEADER_OR_FOLLOWER: retriable(6, "This broker does not hold the partition in the role asked for."),
  REQUEST_TIMED_OUT: retriable(7, "The request was not done within its time."),
  BROKER_NOT_AVAILABLE: fatal(8, "The broker is not available."),
  REPLICA_NOT_AVAILABLE: retriable(9, "The replica is not available on this broker."),
  MESSAGE_TOO_LARGE: fatal(10, "A record batch is larger than the topic allows."),
  STALE_CONTROLLER_EPOCH: fatal(11, "A newer controller is in office."),
  OFFSET_METADATA_TOO_LARGE: fatal(12, "The metadata committed with the offset is too long."),
  NETWORK_EXCEPTION: retriable(13, "The connection ended before the answer came."),
  COORDINATOR_LOAD_IN_PROGRESS: retriable(14, "The coordinator is still loading its state."),
  COORDINATOR_NOT_AVAILABLE: retriable(15, "There is no coordinator at the moment."),
  NOT_COORDINATOR: retriable(16, "This broker is not the coordinator for that key."),
  INVALID_TOPIC_EXCEPTION: fatal(17, "The topic name is not valid, or the topic may not be used so."),
  RECORD_LIST_TOO_LARGE: fatal(18, "The record batches are larger than a segment."),
  NOT_ENOUGH_REPLICAS: retriable(19, "Too few replicas are in sync to accept the records."),
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: retriable(20, "The records were written, but to fewer replicas than required."),
  INVALID_REQUIRED_ACKS: fatal(21, "The required acks must be -1, 0 or 1."),
  ILLEGAL_GENERATION: fatal(22, "The group is in another generation."),
  INCONSISTENT_GROUP_PROTOCOL: fatal(23, "The member shares no protocol with the group."),
  INVALID_GROUP_ID: fatal(24, "The group id is not valid."),
  UNKNOWN_MEMBER_ID: fatal(25, "The group has no such member."),
  INVALID_SESSION_TIMEOUT: fatal(26, "The session timeout lies outside of what the broker allows."),
  REBALANCE_IN_PROGRESS: fatal(27, "The group is rebalancing: join again."),
  INVALID_COMMIT_OFFSET_SIZE: fatal(28, "The offset to commit is too large."),
  TOPIC_AUTHORIZATION_FAILED: fatal(29, "The principal may not do this to the topic."),
  GROUP_AUTHORIZATION_FAILED: fatal(30, "The principal may not do this to the group."),
  CLUSTER_AUTHORIZATION_FAILED: fatal(31, "The principal may not do this to the cluster."),
  INVALID_TIMESTAMP: fatal(32, "A record's timestamp lies outside of what the topic allows."),
  UNSUPPORTED_SASL_MECHANISM: fatal(33, "The broker does not offer this SASL mechanism."),
  ILLEGAL_SASL_STATE: fatal(34, "The request does not fit the state of the authentication."),
  UNSUPPORTED_VERSION: fatal(35, "This version of the API is not served."),
  TOPIC_ALREADY_EXISTS: fatal(36, "A topic of this name exists already."),
  INVALID_PARTITIONS: fatal(37, "The number of partitions is not valid."),
  INVALID_REPLICATION_FACTOR: fatal(38, "The replication factor is not valid here."),
  INVALID_REPLICA_ASSIGNMENT: fatal(39, "The replica assignment is not valid."),
  INVALID_CONFIG: fatal(40, "A configuration key or value is not valid."),
  NOT_CONTROLLER: retriable(41, "This broker is not the controller."),
  INVALID_REQUEST: fatal(42, "The request contradicts itself or breaks the protocol."),
  UNSUPPORTED_FOR_MESSAGE_FORMAT: fatal(43, "The message format on disk cannot do this."),
  POLICY_VIOLATION: fatal(44, "A policy of the cluster forbids this."),
  OUT_OF_ORDER_SEQUENCE_NUMBER: fatal(45, "The producer's sequence has a gap."),
  DUPLICATE_SEQUENCE_NUMBER: fatal(46, "The batch was appended before."),
  INVALID_PRODUCER_EPOCH: fatal(47, "The producer has been replaced by a newer one."),
  INVALID_TXN_STATE: fatal(48, "The transaction is not in a state that allows this."),
  INVALID_PRODUCER_ID_MAPPING: fatal(49, "The producer id does not belong to this transactional id."),
  INVALID_TRANSACTION_TIMEOUT: fatal(50, "The transaction timeout is longer than the broker allows."),
  CONCURRENT_TRANSACTIONS: retriable(51, "The previous transaction of this producer is still being completed."),
  TRANSACTION_COORDINATOR_FENCED: fatal(52, "A newer transaction coordinator is in office."),
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: fatal(53, "The principal may not use this transactional id."),
  SECURITY_DISABLED: fatal(54, "Security features are switched off."),
  OPERATION_NOT_ATTEMPTED: fatal(55, "Not tried, because another part of the request failed."),
  KAFKA_STORAGE_ERROR: retriable(56, "The broker could not read or write its disk."),
  LOG_DIR_NOT_FOUND: fatal(57, "The broker has no such log directory."),
  SASL_AUTHENTICATION_FAILED: fatal(58, "The credentials were refused."),
  UNKNOWN_PRODUCER_ID: fatal(59, "The partition no longer knows this producer."),
  REASSIGNMENT_IN_PROGRESS: fatal(60, "The partition is being reassigned."),
  DELEGATION_TOKEN_AUTH_DISABLED: fatal(61, "Delegation tokens are not offered."),
  DELEGATION_TOKEN_NOT_FOUND: fatal(62, "There is no such delegation token."),
  DELEGATION_TOKEN_OWNER_MISMATCH: fatal(63, "The delegation token belongs to another principal."),
  DELEGATION_TOKEN_REQUEST_NOT_ALLOWED: fatal(64, "Delegation tokens cannot be asked for on this connection."),
  DELEGATION_TOKEN_AUTHORIZATION_FAILED: fatal(65, "The principal may not use this delegation token."),
  DELEGATION_TOKEN_EXPIRED: fatal(66, "The delegation token has expired."),
  INVALID_PRINCIPAL_TYPE: fatal(67, "The type of principal is not supported."),
  NON_EMPTY_GROUP: fatal(68, "The group still has members."),
  GROUP_ID_NOT_FOUND: fatal(69, "There is no such group."),
  FETCH_SESSION_ID_NOT_FOUND: retriable(70, "There is no such fetch session."),
  INVALID_FETCH_SESSION_EPOCH: retriable(71, "The fetch session is at another epoch."),
  LISTENER_NOT_FOUND: retriable(72, "The leader has no listener of that name."),
  TOPIC_DELETION_DISABLED: fatal(73, "Deleting topics is switched off."),
  FENCED_LEADER_EPOCH: retriable(74, "The leader epoch given is older than the broker's."),
  UNKNOWN_LEADER_EPOCH: retriable(75, "The leader epoch given is newer than the broker's."),
  UNSUPPORTED_COMPRESSION_TYPE: fatal(76, "The client cannot read the compression in use."),
  STALE_BROKER_EPOCH: fatal(77, "The broker's registration has been replaced."),
  OFFSET_NOT_AVAILABLE: retriable(78, "The new leader does not know its high watermark yet."),
  MEMBER_ID_REQUIRED: fatal(79, "Join again with the member id given."),
  PREFERRED_LEADER_NOT_AVAILABLE: retriable(80, "The preferred leader is not available."),
  GROUP_MAX_SIZE_REACHED: fatal(81, "The group has as many members as are allowed."),
  FENCED_INSTANCE_ID: fatal(82, "Another member uses the same group instance id."),
  ELIGIBLE_LEADERS_NOT_AVAILABLE: retriable(83, "No replica that could lead is available."),
  ELECTION_NOT_NEEDED: retriable(84, "The partition has the leader it should have."),
  NO_REASSIGNMENT_IN_PROGRESS: fatal(85, "No reassignment of the partition is under way."),
  GROUP_SUBSCRIBED_TO_TOPIC: fatal(86, "The group is subscribed to the topic, so its offset stays."),
  INVALID_RECORD: fatal(87, "A record breaks a rule of the topic."),
  UNSTABLE_OFFSET_COMMIT: retriable(88, "Offsets of an open transaction are pending."),
  THROTTLING_QUOTA_EXCEEDED: retriable(89, "The quota is used up: try again after the throttle time."),
  PRODUCER_FENCED: fatal(90, "A newer producer uses the same transactional id."),
  RESOURCE_NOT_FOUND: fatal(91, "There is no such resource."),
  DUPLICATE_RESOURCE: fatal(92, "The resource is named twice."),
  UNACCEPTABLE_CREDENTIAL: fatal(93, "The credential does not meet the requirements."),
  INCONSISTENT_VOTER_SET: fatal(94, "The voters named are not those known here."),
  INVALID_UPDATE_VERSION: fatal(95, "The update names a version that is not valid."),
  FEATURE_UPDATE_FAILED: fatal(96, "The features could not be updated."),
  PRINCIPAL_DESERIALIZATION_FAILURE: fatal(97, "The forwarded principal could not be read."),
  SNAPSHOT_NOT_FOUND: fatal(98, "There is no such snapshot."),
  POSITION_OUT_OF_RANGE: fatal(99, "The position lies outside of the snapshot."),
  UNKNOWN_TOPIC_ID: retriable(100, "There is no topic of this id here."),
  DUPLICATE_BROKER_REGISTRATION: fatal(101, "The broker id is in use."),
  BROKER_ID_NOT_REGISTERED: fatal(102, "The broker id is not registered."),
  INCONSISTENT_TOPIC_ID: retriable(103, "The topic id is not that of the log."),
  INCONSISTENT_CLUSTER_ID: fatal(104, "The request was meant for another cluster."),
  TRANSACTIONAL_ID_NOT_FOUND: fatal(105, "There is no such transactional id."),
  FETCH_SESSION_TOPIC_ID_ERROR: retriable(106, "The fetch session mixes topic ids and names."),
  INELIGIBLE_REPLICA: fatal(107, "The replica cannot join those in sync."),
  NEW_LEADER_ELECTED: fatal(108, "The change made another replica the leader."),
  OFFSET_MOVED_TO_TIERED_STORAGE: fatal(109, "The offset has moved to the object tier."),
  FENCED_MEMBER_EPOCH: fatal(110, "The coordinator fenced this member epoch: join again."),
  UNRELEASED_INSTANCE_ID: fatal(111, "Another member still holds the group instance id."),
  UNSUPPORTED_ASSIGNOR: fatal(112, "The group cannot use this assignor."),
  STALE_MEMBER_EPOCH: fatal(113, "The member epoch is out of date."),
  MISMATCHED_ENDPOINT_TYPE: fatal(114, "The request went to the wrong kind of endpoint."),
  UNSUPPORTED_ENDPOINT_TYPE: fatal(115, "This kind of endpoint is not supported."),
  UNKNOWN_CONTROLLER_ID: fatal(116, "There is no such controller."),
  UNKNOWN_SUBSCRIPTION_ID: fatal(117, "The telemetry subscription has changed: ask for it again."),
  TELEMETRY_TOO_LARGE: fatal(118, "The telemetry is larger than the broker accepts."),
  INVALID_REGISTRATION: fatal(119, "The controller refused the registration."),
  TRANSACTION_ABORTABLE: fatal(120, "The transaction can only be aborted."),
  INVALID_RECORD_STATE: fatal(121, "The record is not in a state that allows this acknowledgement."),
  SHARE_SESSION_NOT_FOUND: retriable(122, "There is no such share session."),
  INVALID_SHARE_SESSION_EPOCH: retriable(123, "The share session is at another epoch."),
  FENCED_STATE_EPOCH: fatal(124, "The share coordinator has a newer state epoch."),
  INVALID_VOTER_KEY: fatal(125, "The voter's key does not fit the receiver."),
  DUPLICATE_VOTER: fatal(126, "The voter is in the set already."),
  VOTER_NOT_FOUND: fatal(127, "The voter is not in the set."),
  INVALID_REGULAR_EXPRESSION: fatal(128, "The regular expression is not valid."),
  REBOOTSTRAP_REQUIRED: fatal(129, "The client's view is stale: begin again from the bootstrap address."),
  STREAMS_INVALID_TOPOLOGY: fatal(130, "The topology is not valid."),
  STREAMS_INVALID_TOPOLOGY_EPOCH: fatal(131, "The topology epoch is not valid."),
  STREAMS_TOPOLOGY_FENCED: fatal(132, "The topology epoch is out of date."),
  SHARE_SESSION_LIMIT_REACHED: retriable(133, "As many share sessions are open as are allowed."),
} as const satisfies Readonly<Record<string, ErrorRow>>;

export type ErrorName = keyof typeof rows;

export interface KafkaError extends ErrorRow {
  readonly name: ErrorName;
}

const errorNames = Object.keys(rows) as ErrorName[];

/** All errors, in the order of their codes. */
export const kafkaErrors: readonly KafkaError[] = Object.freeze(
  errorNames.map((name) => Object.freeze({ name, ...rows[name] })),
);

/** The number of each error, such as `errorCode.NOT_LEADER_OR_FOLLOWER`. */
export const errorCode: Readonly<Record<ErrorName, number>> = Object.freeze(
  Object.fromEntries(kafkaErrors.map((error) => [error.name, error.code])) as Record<ErrorName, number>,
);

const errorsByCode = new Map(kafkaErrors.map((error) => [error.code, error]));

/** The error of a code, or undefined when the protocol (as known here) has none. */
export function kafkaErrorOf(code: number): KafkaError | undefined {
  return errorsByCode.get(code);
}
