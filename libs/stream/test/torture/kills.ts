import { connect } from '@tickfold/stream';
import { startBrokerProcess } from '@tickfold/testkit/broker-process';
import { SeededRandom } from '@tickfold/testkit/faulty-disk';
import { checkOutput } from './check.ts';
import { Feeder, makeInput } from './feeder.ts';
import { Instance } from './instance.ts';
import { names, PARTITIONS } from './names.ts';
import { Violation } from './violation.ts';

const INSTANCES = 3;
/** Of so many kills one is followed by a pause that outlasts the session of an instance. */
const PAUSES_EACH = 20;
const SESSION_MS = 6_000;
const PAUSE_MS = 8_000;
const BROKER_SHARE = 1 / 3;
/** Far more than a restart, a session and a division of the group take. */
const STUCK_MS = 60_000;
const LOOK_MS = 50;

export interface KillTally {
  records: number;
  brokerKills: number;
  instanceKills: number;
  pauses: number;
  /** Without any record handled anywhere. */
  longestStallMs: number;
}

/**
 * Kills the broker or an instance of a processor so many times, amid as many records as are given.
 * @throws Violation where an input record has not exactly one output, in order and with the right count
 */
export async function runKills(
  seed: number,
  { kills, records, parent, onProgress }: Plan & { onProgress: (done: number) => void },
): Promise<KillTally> {
  const broker = await startBrokerProcess({ ...(parent !== undefined && { parentDir: parent }), env: LARGE });
  const { address } = broker;
  const random = new SeededRandom(seed);
  const tally: KillTally = { records: 0, brokerKills: 0, instanceKills: 0, pauses: 0, longestStallMs: 0 };
  const pulse = new Pulse();
  const feeder = new Feeder(address, names);
  const instances: Instance[] = [];
  try {
    await makeInput(address, names);
    for (let i = 1; i <= INSTANCES; i++) {
      const onHandled = (handled: number) => pulse.beat(handled);
      instances.push(new Instance(String(i), { address, names, sessionMs: SESSION_MS, onProgress: onHandled }));
    }
    const feeding = feeder.run(records);
    feeding.catch(() => {});
    for (let kill = 0; kill < kills; kill++) {
      feeder.allow(Math.ceil((records * (kill + 1)) / kills));
      await pulse.until(pulse.handled + random.below(Math.ceil(records / kills)), instances);
      if (random.chance(BROKER_SHARE)) {
        await broker.kill();
        await broker.restart();
        tally.brokerKills++;
      } else {
        await random.pick(instances).killAndRestart();
        tally.instanceKills++;
      }
      if (random.chance(1 / PAUSES_EACH)) {
        random.pick(instances).pause(PAUSE_MS);
        tally.pauses++;
      }
      onProgress(kill + 1);
    }
    await feeding;
    await untilAllIsHandled(address, instances);
    await Promise.all(instances.map((instance) => instance.stop()));
    const client = await connect({ brokers: [address], clientId: 'check' });
    try {
      tally.records = await checkOutput(client, names, records);
    } finally {
      await client.close();
    }
    tally.longestStallMs = Math.round(pulse.longestStallMs);
    return tally;
  } finally {
    feeder.stop();
    for (const instance of instances) instance.end();
    await broker.stop();
  }
}

export interface Plan {
  kills: number;
  records: number;
  /** Where the broker keeps its data. Left out: in the system's temporary folder. */
  parent?: string;
}

const LARGE = { VOLUME_QUOTA_BYTES: String(64e9) };

/** How the handling goes on, of all instances together. */
class Pulse {
  handled = 0;
  longestStallMs = 0;
  #lastMs = performance.now();
  #onBeat: () => void = () => {};

  beat(handled: number): void {
    const nowMs = performance.now();
    this.longestStallMs = Math.max(this.longestStallMs, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
    this.handled += handled;
    this.#onBeat();
  }

  /** @throws Violation where nothing moves, or an instance ended by itself */
  async until(count: number, instances: readonly Instance[]): Promise<void> {
    const deadline = performance.now() + STUCK_MS;
    while (this.handled < count) {
      mustLive(instances);
      if (performance.now() > deadline) throw new Violation('stuck', `${this.handled} handled, ${count} wanted`);
      await new Promise<void>((resolve) => {
        this.#onBeat = resolve;
        setTimeout(resolve, LOOK_MS);
      });
    }
  }
}

async function untilAllIsHandled(address: string, instances: readonly Instance[]): Promise<void> {
  const client = await connect({ brokers: [address], clientId: 'check' });
  try {
    const deadline = performance.now() + STUCK_MS;
    for (;;) {
      mustLive(instances);
      const ends = await client.admin.watermarks(names.input);
      const cursors = await client.admin.committedOffsets(names.group, names.input);
      const behind = ends.filter(({ partition, high }) => high > 0n && (cursors.get(partition) ?? 0n) < high);
      if (behind.length === 0 && ends.length === PARTITIONS) return;
      if (performance.now() > deadline) {
        throw new Violation(
          'stuck',
          `partitions ${behind.map(({ partition }) => partition)} are not handled to the end`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  } finally {
    await client.close();
  }
}

function mustLive(instances: readonly Instance[]): void {
  for (const { failure } of instances) if (failure !== undefined) throw new Violation('stuck', failure);
}
