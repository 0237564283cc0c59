import { apis, errorCodes } from '@tickfold/kafka-protocol';
import { EngineError, type LogEngine } from '@tickfold/log-engine';
import type { BrokerLog } from '../options.ts';
import { type Route, route } from '../route.ts';

/** How a request ended, as it is told to the client. */
interface Outcome {
  errorCode: number;
  reason: string | null;
  errorMessage: string | null;
  mend: string | null;
}

const DONE: Outcome = { errorCode: errorCodes.NONE, reason: null, errorMessage: null, mend: null };

/** What the owner of the data folder does with whole volumes, for clients that cannot: Tickfold's own requests. */
export function volumeRoutes(engine: LogEngine, log: BrokerLog): Route[] {
  /** Does it and says how it ended; a failure that is no refusal of the engine's is for the operator. */
  const attempt = async (what: string, fields: object, work: () => Promise<void>): Promise<Outcome> => {
    try {
      await work();
      log.info(fields, what);
      return DONE;
    } catch (error) {
      if (error instanceof EngineError) return refusal(error.code, error.message, error.mend);
      log.error({ ...fields, err: error }, `not done: ${what}`);
      return {
        ...refusal(null, 'the broker failed at it for a reason of its own', "See the broker's log."),
        errorCode: errorCodes.UNKNOWN_SERVER_ERROR,
      };
    }
  };

  const createSnapshot = route(apis.createSnapshot, async ({ name, pins: text, others }) => {
    const pins = parseObject(text);
    if (pins === undefined) return { ...ILLEGAL_PINS, manifest: null };
    let manifest: string | null = null;
    const outcome = await attempt('snapshot taken', { snapshot: name }, async () => {
      manifest = JSON.stringify(await engine.createSnapshot(name, pins, { volumes: others }));
    });
    return { ...outcome, manifest };
  });

  const adoptVolume = route(apis.adoptVolume, ({ stagingId }) =>
    attempt('volume adopted', { stagingId }, async () => {
      await engine.adoptVolume(stagingId);
    }),
  );

  const deleteVolume = route(apis.deleteVolume, ({ name }) =>
    attempt('volume deleted', { volume: name }, () => engine.deleteVolume(name)),
  );

  const describeVolumes = route(apis.describeVolumes, () => {
    const topics = engine.topics();
    const volumes = engine.volumes().map(({ name, sizeBytes, stopped }) => ({
      name,
      sizeBytes: BigInt(sizeBytes),
      topicCount: topics.filter(({ volume }) => volume === name).length,
      stopped: stopped?.reason ?? null,
    }));
    return { ...DONE, volumes };
  });

  return [createSnapshot, adoptVolume, deleteVolume, describeVolumes];
}

function refusal(reason: string | null, errorMessage: string, mend: string): Outcome {
  return { errorCode: errorCodes.INVALID_REQUEST, reason, errorMessage, mend };
}

const ILLEGAL_PINS = refusal('illegal-pins', "a snapshot's pins are no JSON object", 'Send them as the text of one.');

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
