/**
 * `market.source`: which source fills `market.ticks`. Written with every commit of its ticks; the header `position` says up to
 * where they go.
 */
export interface SourceSession {
  /** Changes with whatever changes the ticks: two sources of one identity yield the same ticks at the same positions. */
  identity: string;
  /** For people: kind, place and day. */
  description: string;
  /** First New York day of its ticks. */
  eventDate: string;
  /** How many times faster than the clock event time passes; 0: as fast as it goes. */
  speed: number;
}

/** Oldest first. */
export const sourceSessionVersions = [
  {
    type: 'record',
    name: 'SourceSession',
    namespace: 'tickfold',
    fields: [
      { name: 'identity', type: 'string' },
      { name: 'description', type: 'string' },
      { name: 'eventDate', type: 'string' },
      { name: 'speed', type: 'double' },
    ],
  },
] as const;
