import type { LogEngine } from '@tickfold/log-engine';

/** Where the broker reports what an operator should know. A pino logger is one. */
export interface BrokerLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** An address to listen on, and the one that clients who came in through it are told to use. */
export interface Listener {
  name: string;
  host: string;
  /** 0 asks the system for a free one. */
  port: number;
  advertisedHost: string;
  /** Left out: the port that is listened on. */
  advertisedPort?: number;
}

export interface BrokerOptions {
  /** Handed over: `Broker.close` closes it. */
  engine: LogEngine;
  listeners: readonly Listener[];
  /** Where clients of the same user on this machine may come in through a Unix socket, which costs less than TCP. */
  socketPath?: string;
  log: BrokerLog;
  /** Where a file keeps what clients set on the broker, on groups and of users. Left out: it counts until the broker ends. */
  settingsFolder?: string;
  /** Makes a topic that a client asks for by name. Default true. */
  autoCreateTopics?: boolean;
  /** Partitions of a topic that is made without saying how many. Default 1. */
  defaultPartitionCount?: number;
  limits?: Partial<Limits>;
  groups?: Partial<GroupSettings>;
}

/** What bounds the memory of the broker, whatever clients do. */
export interface Limits {
  /** A longer request ends its connection. */
  frameBytes: number;
  connections: number;
  /** A connection's requests are not read on while this many of them wait for their answer. */
  unansweredRequests: number;
  /** ... or this many of their bytes. */
  unansweredBytes: number;
  /** ... or this many bytes of answers wait for their reader. */
  unsentBytes: number;
  /** Bytes of requests that all connections hold together: above it the largest unfinished one ends its connection. */
  requestBytes: number;
  /** Most record bytes of one fetch response, whatever the client allows. */
  fetchBytes: number;
  /** Fetch sessions that are kept for clients; who gets none reads all the same. */
  fetchSessions: number;
  /** Partitions that all fetch sessions follow together. */
  fetchSessionPartitions: number;
  /** A connection without any byte in or out for so long is ended. */
  idleMs: number;
  /** Partitions that a topic may be made with. */
  partitionsPerTopic: number;
}

export const DEFAULT_LIMITS: Limits = {
  frameBytes: 64 * 1024 * 1024,
  connections: 1_000,
  unansweredRequests: 256,
  unansweredBytes: 16 * 1024 * 1024,
  unsentBytes: 4 * 1024 * 1024,
  requestBytes: 128 * 1024 * 1024,
  fetchBytes: 16 * 1024 * 1024,
  fetchSessions: 1_000,
  fetchSessionPartitions: 200_000,
  idleMs: 10 * 60_000,
  partitionsPerTopic: 10_000,
};

/** Kafka's `group.*` settings, with its defaults except for the delay, which is 3 s there. */
export interface GroupSettings {
  minSessionTimeoutMs: number;
  maxSessionTimeoutMs: number;
  /** How long the first generation of a group waits for more members. */
  initialRebalanceDelayMs: number;
  /** Bytes of the text that may be stored with an offset. */
  maxMetadataBytes: number;
  /** Groups without members that are remembered; the oldest is forgotten first (its offsets stay). */
  maxEmptyGroups: number;
  /** Members of all groups together, with those on the way in. */
  maxMembers: number;
  /** Bytes of what all of them say of themselves, and of their parts. */
  maxMemberBytes: number;
  /** A group without members that commits nothing for so long loses its offsets. */
  offsetsRetentionMs: number;
  /** How often that is looked after. 0: never. */
  offsetsCheckIntervalMs: number;
}

export const DEFAULT_GROUP_SETTINGS: GroupSettings = {
  minSessionTimeoutMs: 6_000,
  maxSessionTimeoutMs: 1_800_000,
  initialRebalanceDelayMs: 100,
  maxMetadataBytes: 4_096,
  maxEmptyGroups: 10_000,
  maxMembers: 10_000,
  maxMemberBytes: 64 * 1024 * 1024,
  offsetsRetentionMs: 7 * 24 * 60 * 60_000,
  offsetsCheckIntervalMs: 10 * 60_000,
};

/** Partitions of a topic that is made without saying how many. */
export const DEFAULT_PARTITION_COUNT = 1;

/** This broker's id and its cluster's, as clients see them. */
export const NODE_ID = 1;
export const CLUSTER_ID = 'tickfold';
/** Leadership never moves: there is one broker. */
export const LEADER_EPOCH = 0;
