import * as logs from './log-steps.ts';
import type { Operation, Sequence } from './operations.ts';
import * as producers from './producer-steps.ts';
import { Rig } from './rig.ts';
import * as topics from './topic-steps.ts';
import * as transactions from './transaction-steps.ts';
import { mustHold, Violation } from './violation.ts';
import * as volumes from './volume-steps.ts';

export interface RunOptions {
  /** The canary: a disk whose syncs do nothing. The checker must notice. */
  syncIsALie?: boolean;
}

/**
 * Runs a sequence on a faulty disk beside the model, and ends with a loss of power. Gives how often what was injected.
 * @throws Violation
 */
export async function runSequence(
  { setting, operations }: Sequence,
  { syncIsALie = false }: RunOptions = {},
): Promise<ReadonlyMap<string, number>> {
  const rig = new Rig(setting, syncIsALie);
  await rig.open();
  await transactions.makeTopics(rig);
  for (const operation of operations) await step(rig, operation);
  await rig.recover(true, []);
  await transactions.replaceProducers(rig);
  await rig.reopen();
  await rig.engine.close();
  const { openFiles } = rig.disk;
  mustHold(openFiles === 0, 'left-over', () => `${openFiles} files are open after close`);
  return rig.disk.injected;
}

async function step(rig: Rig, operation: Operation): Promise<void> {
  rig.underWay.look();
  if (rig.disk.isGone) await rig.recover(rig.random.chance(0.4), []);
  try {
    await execute(rig, operation);
  } catch (error) {
    if (error instanceof Violation || !rig.isExplained(error)) throw error;
  }
}

export async function execute(rig: Rig, operation: Operation): Promise<void> {
  switch (operation.do) {
    case 'create-topic':
      return topics.createTopic(rig, operation.topic);
    case 'alter-topic':
      return topics.alterTopic(rig, operation);
    case 'delete-topic':
      return topics.deleteTopic(rig, operation.topic);
    case 'append':
      return logs.append(rig, operation);
    case 'burst':
      return logs.burst(rig, operation);
    case 'append-sequenced':
      return producers.appendSequenced(rig, operation);
    case 'send-again':
      return producers.sendAgain(rig, operation);
    case 'leave-gap':
      return producers.leaveGap(rig, operation);
    case 'transact':
      return transactions.transact(rig, operation);
    case 'zombie':
      return transactions.comeBackAsZombie(rig, operation.producer);
    case 'commit':
      return logs.commit(rig, operation);
    case 'forget-group':
      return logs.forgetGroup(rig, operation.group);
    case 'read':
      return logs.read(rig, operation);
    case 'find-time':
      return logs.findTime(rig, operation);
    case 'delete-records':
      return logs.deleteRecords(rig, operation);
    case 'maintain': {
      const maintaining = rig.engine.maintain();
      rig.underWay.add(maintaining);
      return operation.wait ? maintaining : undefined;
    }
    case 'snapshot':
      return volumes.takeSnapshot(rig, operation);
    case 'read-snapshot':
      return volumes.readSomeSnapshot(rig, operation.which);
    case 'delete-snapshot':
      return volumes.deleteSnapshot(rig, operation.which);
    case 'move-snapshot':
      return volumes.moveSnapshot(rig, operation.which);
    case 'restore':
      return volumes.restoreVolume(rig, operation.which);
    case 'publish':
      return volumes.publishFile(rig, operation);
    case 'unpublish':
      return volumes.removeFile(rig, operation);
    case 'adopt':
      return volumes.adopt(rig, operation);
    case 'delete-volume':
      return volumes.deleteVolume(rig, operation.volume);
    case 'settle':
      return rig.settle();
    case 'turn-clock':
      rig.nowMs += operation.byMs;
      rig.hasTurnedClock = true;
      return;
    case 'fail':
      rig.mayFail = true;
      return rig.disk.fail(operation.fault);
    case 'fill-disk':
      rig.mayFail = true;
      rig.disk.capacityBytes = rig.disk.usedBytes + operation.roomBytes;
      return;
    case 'heal':
      return rig.disk.heal();
    case 'reopen':
      return rig.reopen();
    case 'crash':
      return rig.recover(operation.losesPower, operation.duringRecovery);
    case 'crash-soon':
      return rig.disk.crashAfter(operation.calls);
  }
}
