// What may be done to a group, as the bit field in which DescribeGroups tells it: everything, while there are no ACLs.

/** Kafka's codes of READ, DELETE, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS. */
const codes = [3, 6, 8, 10, 11]

export const groupOperations: number = codes.reduce((bits, code) => bits | (1 << code), 0)
/** Not asked for, or nothing to tell. */
export const noOperations = -0x8000_0000
