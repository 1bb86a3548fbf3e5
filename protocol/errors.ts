// What can go wrong, in three kinds: an answer for the client, the end of a connection, the end of a partition.
// One table holds Kafka's error codes (source: `Errors` of kafka-clients 4.4.0); the sentences are ours.

/** An answer for the client: returned, never thrown. `message` says what to change. */
export class Refusal {
  readonly error: ErrorName
  readonly message: string
  constructor(error: ErrorName, message: string = errors[error].sentence) {
    this.error = error
    this.message = message
  }
  get code(): number {
    return errors[this.error].code
  }
}

/** Bytes that break the protocol. Thrown; one catch, which closes the connection. */
export class ProtocolViolation extends Error {}

/** Bytes on disk that are not what we wrote. Thrown; the partition goes offline. */
export class Corruption extends Error {}

/** A piece of a file is not what was written, the rest is: what lies in it is answered as CORRUPT_MESSAGE. Thrown. */
export class DamagedRecords extends Error {}

/** The disk refused (full, read-only, I/O error). Thrown by storage; answered as KAFKA_STORAGE_ERROR. */
export class StorageError extends Error {
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

const row = <C extends number, R extends boolean>(code: C, retriable: R, sentence: string) => ({
  code,
  retriable,
  sentence,
})

export const errors = {
  UNKNOWN_SERVER_ERROR: row(-1, false, 'The broker met an error it has no better name for.'),
  NONE: row(0, false, 'No error.'),
  OFFSET_OUT_OF_RANGE: row(1, false, 'The offset lies outside the range of offsets that the partition holds.'),
  CORRUPT_MESSAGE: row(2, true, 'The batch fails its checksum, exceeds the allowed size or is otherwise corrupt.'),
  UNKNOWN_TOPIC_OR_PARTITION: row(3, true, 'This broker does not host this topic or partition.'),
  INVALID_FETCH_SIZE: row(4, false, 'The fetch size is invalid.'),
  LEADER_NOT_AVAILABLE: row(5, true, 'The partition has no leader at the moment.'),
  NOT_LEADER_OR_FOLLOWER: row(6, true, 'This broker is not the leader of the partition.'),
  REQUEST_TIMED_OUT: row(7, true, 'The request timed out.'),
  BROKER_NOT_AVAILABLE: row(8, false, 'The broker is not available.'),
  REPLICA_NOT_AVAILABLE: row(9, true, 'The replica is not available for the partition.'),
  MESSAGE_TOO_LARGE: row(10, false, 'The batch is larger than max.message.bytes allows.'),
  STALE_CONTROLLER_EPOCH: row(11, false, 'The controller moved to another broker.'),
  OFFSET_METADATA_TOO_LARGE: row(
    12,
    false,
    'The metadata of the offset commit is larger than offset.metadata.max.bytes.',
  ),
  NETWORK_EXCEPTION: row(13, true, 'The connection closed before an answer came.'),
  COORDINATOR_LOAD_IN_PROGRESS: row(14, true, 'The coordinator is still reading its state.'),
  COORDINATOR_NOT_AVAILABLE: row(15, true, 'The coordinator is not available.'),
  NOT_COORDINATOR: row(16, true, 'This broker is not the coordinator.'),
  INVALID_TOPIC_EXCEPTION: row(17, false, 'The topic name is not valid, or the topic does not allow the operation.'),
  RECORD_LIST_TOO_LARGE: row(18, false, 'The request holds a batch larger than the segment size of the topic.'),
  NOT_ENOUGH_REPLICAS: row(19, true, 'There are fewer in-sync replicas than min.insync.replicas asks for.'),
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: row(20, true, 'The batch was written to fewer in-sync replicas than required.'),
  INVALID_REQUIRED_ACKS: row(21, false, 'acks must be -1, 0 or 1.'),
  ILLEGAL_GENERATION: row(22, false, 'The generation id is not that of the group.'),
  INCONSISTENT_GROUP_PROTOCOL: row(
    23,
    false,
    "The member's protocol type or protocols do not match those of the group.",
  ),
  INVALID_GROUP_ID: row(24, false, 'The group id is not valid.'),
  UNKNOWN_MEMBER_ID: row(25, false, 'The coordinator does not know this member.'),
  INVALID_SESSION_TIMEOUT: row(
    26,
    false,
    'The session timeout is outside group.min.session.timeout.ms and group.max.session.timeout.ms.',
  ),
  REBALANCE_IN_PROGRESS: row(27, false, 'The group is rebalancing: join again.'),
  INVALID_COMMIT_OFFSET_SIZE: row(28, false, 'The commit record would be larger than allowed.'),
  TOPIC_AUTHORIZATION_FAILED: row(29, false, 'Access to the topic is not allowed.'),
  GROUP_AUTHORIZATION_FAILED: row(30, false, 'Access to the group is not allowed.'),
  CLUSTER_AUTHORIZATION_FAILED: row(31, false, 'The cluster-wide operation is not allowed.'),
  INVALID_TIMESTAMP: row(32, false, "A record's timestamp is outside the range that the topic accepts."),
  UNSUPPORTED_SASL_MECHANISM: row(33, false, 'The broker does not support the SASL mechanism.'),
  ILLEGAL_SASL_STATE: row(34, false, 'The request is not valid in the current SASL state.'),
  UNSUPPORTED_VERSION: row(35, false, 'The version of the API is not supported.'),
  TOPIC_ALREADY_EXISTS: row(36, false, 'A topic of this name exists already.'),
  INVALID_PARTITIONS: row(37, false, 'The number of partitions is not valid.'),
  INVALID_REPLICATION_FACTOR: row(38, false, 'The replication factor is below 1 or larger than the number of brokers.'),
  INVALID_REPLICA_ASSIGNMENT: row(39, false, 'The replica assignment is not valid.'),
  INVALID_CONFIG: row(40, false, 'The configuration is not valid.'),
  NOT_CONTROLLER: row(41, true, 'This broker is not the controller.'),
  INVALID_REQUEST: row(42, false, 'The request contradicts itself or the protocol.'),
  UNSUPPORTED_FOR_MESSAGE_FORMAT: row(43, false, 'The message format of the batch does not support the request.'),
  POLICY_VIOLATION: row(44, false, 'The request violates a policy.'),
  OUT_OF_ORDER_SEQUENCE_NUMBER: row(45, false, "The producer's sequence number does not follow the last one."),
  DUPLICATE_SEQUENCE_NUMBER: row(46, false, "The producer's sequence number was seen before."),
  INVALID_PRODUCER_EPOCH: row(47, false, "The producer's epoch is older than the current one."),
  INVALID_TXN_STATE: row(48, false, "The operation is not valid in the transaction's state."),
  INVALID_PRODUCER_ID_MAPPING: row(49, false, 'The producer id is not the one assigned to the transactional id.'),
  INVALID_TRANSACTION_TIMEOUT: row(50, false, 'The transaction timeout is larger than transaction.max.timeout.ms.'),
  CONCURRENT_TRANSACTIONS: row(51, true, 'Another operation on the transaction is still running.'),
  TRANSACTION_COORDINATOR_FENCED: row(52, false, 'The coordinator that sent the request has been replaced.'),
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: row(53, false, 'Access to the transactional id is not allowed.'),
  SECURITY_DISABLED: row(54, false, 'No authorizer is configured on the broker.'),
  OPERATION_NOT_ATTEMPTED: row(55, false, 'The operation was not tried.'),
  KAFKA_STORAGE_ERROR: row(56, true, 'The disk refused the operation.'),
  LOG_DIR_NOT_FOUND: row(57, false, 'The log directory does not exist.'),
  SASL_AUTHENTICATION_FAILED: row(58, false, 'SASL authentication failed.'),
  UNKNOWN_PRODUCER_ID: row(59, false, 'The broker has no record of the producer id.'),
  REASSIGNMENT_IN_PROGRESS: row(60, false, 'A reassignment of the partition is under way.'),
  DELEGATION_TOKEN_AUTH_DISABLED: row(61, false, 'Delegation tokens are not enabled.'),
  DELEGATION_TOKEN_NOT_FOUND: row(62, false, 'The delegation token does not exist.'),
  DELEGATION_TOKEN_OWNER_MISMATCH: row(63, false, 'The principal is neither owner nor renewer of the token.'),
  DELEGATION_TOKEN_REQUEST_NOT_ALLOWED: row(64, false, 'Delegation tokens are not allowed on this connection.'),
  DELEGATION_TOKEN_AUTHORIZATION_FAILED: row(65, false, 'Access to the delegation token is not allowed.'),
  DELEGATION_TOKEN_EXPIRED: row(66, false, 'The delegation token has expired.'),
  INVALID_PRINCIPAL_TYPE: row(67, false, 'The principal type is not supported.'),
  NON_EMPTY_GROUP: row(68, false, 'The group still has members.'),
  GROUP_ID_NOT_FOUND: row(69, false, 'The group does not exist.'),
  FETCH_SESSION_ID_NOT_FOUND: row(70, true, 'The fetch session does not exist.'),
  INVALID_FETCH_SESSION_EPOCH: row(71, true, 'The epoch of the fetch session is not the expected one.'),
  LISTENER_NOT_FOUND: row(72, true, "The leader has no listener that matches the request's."),
  TOPIC_DELETION_DISABLED: row(73, false, 'delete.topic.enable is false on this broker.'),
  FENCED_LEADER_EPOCH: row(74, true, "The leader epoch in the request is older than the broker's."),
  UNKNOWN_LEADER_EPOCH: row(75, true, "The leader epoch in the request is newer than the broker's."),
  UNSUPPORTED_COMPRESSION_TYPE: row(76, false, 'The compression type is not supported.'),
  STALE_BROKER_EPOCH: row(77, false, 'The broker epoch has changed.'),
  OFFSET_NOT_AVAILABLE: row(78, true, 'The high watermark has not caught up after a leader change.'),
  MEMBER_ID_REQUIRED: row(79, false, 'Join again with the member id of this answer.'),
  PREFERRED_LEADER_NOT_AVAILABLE: row(80, true, 'The preferred leader is not available.'),
  GROUP_MAX_SIZE_REACHED: row(81, false, 'The group has group.max.size members already.'),
  FENCED_INSTANCE_ID: row(82, false, 'Another member has taken over this group instance id.'),
  ELIGIBLE_LEADERS_NOT_AVAILABLE: row(83, true, 'No eligible leader is available.'),
  ELECTION_NOT_NEEDED: row(84, true, 'The partition needs no election.'),
  NO_REASSIGNMENT_IN_PROGRESS: row(85, false, 'No reassignment of the partition is under way.'),
  GROUP_SUBSCRIBED_TO_TOPIC: row(86, false, 'The group is subscribed to the topic whose offsets were to be deleted.'),
  INVALID_RECORD: row(87, false, "A record fails the broker's validation."),
  UNSTABLE_OFFSET_COMMIT: row(88, true, 'There are offset commits of an open transaction.'),
  THROTTLING_QUOTA_EXCEEDED: row(89, true, 'The quota is exceeded.'),
  PRODUCER_FENCED: row(90, false, 'A newer producer with the same transactional id has taken over.'),
  RESOURCE_NOT_FOUND: row(91, false, 'The resource does not exist.'),
  DUPLICATE_RESOURCE: row(92, false, 'The resource is named twice.'),
  UNACCEPTABLE_CREDENTIAL: row(93, false, 'The credential does not meet the requirements.'),
  INCONSISTENT_VOTER_SET: row(94, false, 'The voter sets differ.'),
  INVALID_UPDATE_VERSION: row(95, false, 'The update version is not valid.'),
  FEATURE_UPDATE_FAILED: row(96, false, 'The feature update failed.'),
  PRINCIPAL_DESERIALIZATION_FAILURE: row(97, false, 'The forwarded principal cannot be read.'),
  SNAPSHOT_NOT_FOUND: row(98, false, 'The snapshot does not exist.'),
  POSITION_OUT_OF_RANGE: row(99, false, 'The position is outside the snapshot.'),
  UNKNOWN_TOPIC_ID: row(100, true, 'This broker hosts no topic with this id.'),
  DUPLICATE_BROKER_REGISTRATION: row(101, false, 'The broker id is in use.'),
  BROKER_ID_NOT_REGISTERED: row(102, false, 'The broker id is not registered.'),
  INCONSISTENT_TOPIC_ID: row(103, true, 'The topic id does not match the one in the log.'),
  INCONSISTENT_CLUSTER_ID: row(104, false, 'The cluster id does not match.'),
  TRANSACTIONAL_ID_NOT_FOUND: row(105, false, 'The transactional id does not exist.'),
  FETCH_SESSION_TOPIC_ID_ERROR: row(106, true, 'The fetch session met an inconsistent use of topic ids.'),
  INELIGIBLE_REPLICA: row(107, false, 'The in-sync replicas contain an ineligible one.'),
  NEW_LEADER_ELECTED: row(108, false, 'The leader has changed.'),
  OFFSET_MOVED_TO_TIERED_STORAGE: row(109, false, 'The offset has moved to tiered storage.'),
  FENCED_MEMBER_EPOCH: row(110, false, 'The member epoch is fenced: join again.'),
  UNRELEASED_INSTANCE_ID: row(111, false, 'The group instance id is still in use by another member.'),
  UNSUPPORTED_ASSIGNOR: row(112, false, 'The group does not support the assignor.'),
  STALE_MEMBER_EPOCH: row(113, false, 'The member epoch is stale.'),
  MISMATCHED_ENDPOINT_TYPE: row(114, false, 'The request went to an endpoint of the wrong type.'),
  UNSUPPORTED_ENDPOINT_TYPE: row(115, false, 'The endpoint type is not supported.'),
  UNKNOWN_CONTROLLER_ID: row(116, false, 'The controller id is not known.'),
  UNKNOWN_SUBSCRIPTION_ID: row(117, false, 'The telemetry subscription id is not known.'),
  TELEMETRY_TOO_LARGE: row(118, false, 'The telemetry is larger than the broker accepts.'),
  INVALID_REGISTRATION: row(119, false, 'The registration is not valid.'),
  TRANSACTION_ABORTABLE: row(120, false, 'The transaction must be aborted.'),
  INVALID_RECORD_STATE: row(121, false, 'The record is not in the state that the acknowledgement needs.'),
  SHARE_SESSION_NOT_FOUND: row(122, true, 'The share session does not exist.'),
  INVALID_SHARE_SESSION_EPOCH: row(123, true, 'The epoch of the share session is not the expected one.'),
  FENCED_STATE_EPOCH: row(124, false, 'The state epoch is older than the current one.'),
  INVALID_VOTER_KEY: row(125, false, 'The voter key does not match.'),
  DUPLICATE_VOTER: row(126, false, 'The voter is already part of the set.'),
  VOTER_NOT_FOUND: row(127, false, 'The voter is not part of the set.'),
  INVALID_REGULAR_EXPRESSION: row(128, false, 'The regular expression is not valid.'),
  REBOOTSTRAP_REQUIRED: row(129, false, 'The client must bootstrap again.'),
  STREAMS_INVALID_TOPOLOGY: row(130, false, 'The topology is not valid.'),
  STREAMS_INVALID_TOPOLOGY_EPOCH: row(131, false, 'The topology epoch is not valid.'),
  STREAMS_TOPOLOGY_FENCED: row(132, false, "The topology epoch is older than the group's."),
  SHARE_SESSION_LIMIT_REACHED: row(133, true, 'The limit of share sessions is reached.'),
} as const

export type ErrorName = keyof typeof errors

const names = new Map<number, ErrorName>(Object.entries(errors).map(([name, { code }]) => [code, name as ErrorName]))

/** The name of an error code, or UNKNOWN_SERVER_ERROR for a code that is not in the table. */
export const errorName = (code: number): ErrorName => names.get(code) ?? 'UNKNOWN_SERVER_ERROR'
