import { OPERATIONS_NOT_ASKED } from '@tickfold/kafka-protocol';

/** Kafka's numbers of operations: the bit that stands for each in a set. */
const READ = 3;
const WRITE = 4;
const CREATE = 5;
const DELETE = 6;
const ALTER = 7;
const DESCRIBE = 8;
const CLUSTER_ACTION = 9;
const DESCRIBE_CONFIGS = 10;
const ALTER_CONFIGS = 11;
const IDEMPOTENT_WRITE = 12;

const sets = {
  cluster: [CREATE, ALTER, DESCRIBE, CLUSTER_ACTION, DESCRIBE_CONFIGS, ALTER_CONFIGS, IDEMPOTENT_WRITE],
  topic: [READ, WRITE, CREATE, DELETE, ALTER, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS],
  group: [READ, DELETE, DESCRIBE],
} as const;

/** What a client may do: everything that there is to do, as with Kafka where no authorizer is set up. */
export function authorizedOperations(resource: keyof typeof sets, isAsked: boolean): number {
  if (!isAsked) return OPERATIONS_NOT_ASKED;
  return sets[resource].reduce((set, operation) => set | (1 << operation), 0);
}
