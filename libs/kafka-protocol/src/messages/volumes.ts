/**
 * Tickfold's own requests, which Kafka does not have: what the owner of volumes does when it is asked to. Their keys
 * lie far above Kafka's, and ApiVersions lists them: foreign clients pass over keys that they do not know, and ours
 * tells by them whether a broker keeps volumes. They are flexible from the start, so that text may be long.
 */
import { defineApi } from '../api.ts';
import { array, int16, int32, int64, nullableString, since, string, struct } from '../schema.ts';

/** How it ended. Where the engine refused, the rest is in its own words; otherwise null. */
const outcome = {
  errorCode: int16,
  /** The engine's code: `snapshot-exists`. */
  reason: nullableString,
  errorMessage: nullableString,
  mend: nullableString,
};

export const createSnapshotApi = defineApi({
  name: 'CreateSnapshot',
  key: 31000,
  versions: [0, 1],
  flexibleSince: 0,
  request: struct({
    /** `market@open` */
    name: string,
    /** A JSON object. */
    pins: string,
    /** Other volumes that are frozen at the same cut. */
    others: since(1, array(string), []),
  }),
  response: struct({
    ...outcome,
    /** The snapshot's manifest, as JSON; null where there is none. */
    manifest: nullableString,
  }),
});

export const adoptVolumeApi = defineApi({
  name: 'AdoptVolume',
  key: 31001,
  versions: [0, 0],
  flexibleSince: 0,
  request: struct({ stagingId: string }),
  response: struct({ ...outcome }),
});

export const deleteVolumeApi = defineApi({
  name: 'DeleteVolume',
  key: 31002,
  versions: [0, 0],
  flexibleSince: 0,
  request: struct({ name: string }),
  response: struct({ ...outcome }),
});

export const describeVolumesApi = defineApi({
  name: 'DescribeVolumes',
  key: 31003,
  versions: [0, 0],
  flexibleSince: 0,
  request: struct({}),
  response: struct({
    ...outcome,
    volumes: array(
      struct({
        name: string,
        sizeBytes: int64,
        topicCount: int32,
        /** Why it takes no more records; null while it does. */
        stopped: nullableString,
      }),
    ),
  }),
});
