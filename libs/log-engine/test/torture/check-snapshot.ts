import type { Model, SnapshotContent, SnapshotModel } from './model.ts';
import { mustHold } from './violation.ts';

/** A snapshot that is read for the first time must be its volumes at one moment after it was asked for; later, the same. */
export function checkSnapshot(model: Model, snapshot: SnapshotModel, content: SnapshotContent): void {
  if (snapshot.content === undefined) checkCut(model, snapshot, content);
  else mustHold(textOf(snapshot.content) === textOf(content), 'diverged', () => `${snapshot.name} has changed`);
  snapshot.content = content;
}

/** What was sent stands in the journals in the order of the calls, so at the cut nothing later is there. */
function checkCut(model: Model, { name, volumes, askedAtSerial }: SnapshotModel, content: SnapshotContent): void {
  let lastThere = -1;
  let firstMissing = Number.POSITIVE_INFINITY;
  for (const topic of volumes.flatMap((volume) => model.topicsOf(volume))) {
    // Made since, it may even be the second of its name.
    if (topic.serial >= askedAtSerial) continue;
    for (const partition of topic.partitions) {
      const log = content.logs.get(partition.name);
      if (log === undefined) {
        const mayLack = topic.presence === 'unknown' || partition.serial >= askedAtSerial;
        mustHold(mayLack, 'lost', () => `${name} has no ${partition.name}`);
        continue;
      }
      for (const { offset, value } of log.records) {
        if (offset < partition.start) continue;
        const known = partition.at(offset);
        const isSame = known !== undefined && known.value === value;
        mustHold(isSame, 'diverged', () => `${name}: ${value} at ${offset} of ${partition.name}`);
        lastThere = Math.max(lastThere, known.serial);
      }
      const later = Math.max(log.end, partition.start);
      if (later < partition.knownEnd) firstMissing = Math.min(firstMissing, partition.at(later)!.serial);
      for (const batch of partition.sent) {
        if (batch.baseOffset !== undefined || batch.hasFailed) continue;
        firstMissing = Math.min(firstMissing, batch.serial);
      }
    }
  }
  mustHold(lastThere < firstMissing, 'reordered', () => `${name} holds what came after what it does not hold`);
  mustHold(firstMissing >= askedAtSerial, 'lost', () => `${name} lacks what was there before it was asked for`);
}

function textOf(content: SnapshotContent): string {
  return JSON.stringify([[...content.logs].sort(), [...content.offsets].sort()]);
}
