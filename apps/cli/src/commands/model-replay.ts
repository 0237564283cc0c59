import { UsageError } from '@tickfold/app-runtime';
import { modelVolume } from '@tickfold/market';
import { findModel, parametersVersion } from '@tickfold/models';
import type { Outcome } from '../outcome.ts';
import { countOf } from '../quantities.ts';
import { checkedSnapshotName } from '../snapshot-name.ts';
import type { System } from '../system.ts';

export interface ReplayOptions {
  version: string;
  from: string;
  into: string;
  /** `PARAM=VALUE` each. */
  set: readonly string[];
}

/** @throws ModelError, UsageError before anything is read or written */
export async function replayVersion(options: ReplayOptions, system: System): Promise<Outcome> {
  const definition = findModel(options.version);
  const model = definition.create(readAssignments(options.set));
  const from = checkedSnapshotName(options.from);
  const replayed = await system.replay({ model, from, into: options.into });

  const { volume, ticks, decisions, fills, deadLetters } = replayed;
  const parameters = parametersVersion(definition.parameters, model.parameters);
  const content = [countOf(decisions, 'decision'), countOf(fills, 'fill')];
  if (deadLetters > 0) content.push(countOf(deadLetters, 'dead letter'));
  return {
    text: `Replayed ${countOf(ticks, 'tick')} of ${from} through ${model.name} (${parameters}) into ${volume}: ${content.join(', ')}.`,
    json: { ...replayed, model: model.name, from, parameters: model.parameters, parametersVersion: parameters },
    exitStatus: 0,
    next: `volume diff ${modelVolume(model.name)} ${volume}`,
  };
}

/**
 * What `--set` says, given once or more.
 * @throws UsageError where it is not PARAM=VALUE with a number, or names a parameter twice
 */
export function readAssignments(assignments: readonly string[]): Record<string, number> {
  const values = new Map<string, number>();
  for (const assignment of assignments) {
    const [, name, text = ''] = /^([^=]+)=(.*)$/s.exec(assignment) ?? [];
    if (name === undefined) {
      throw new UsageError(
        `--set ${assignment} is not of the form PARAM=VALUE.`,
        'Write it without spaces, such as --set entrySignal=1.8; npx tickfold model list has the names.',
      );
    }
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value)) {
      throw new UsageError(
        `--set ${assignment}: ${JSON.stringify(text)} is no number.`,
        `Write a number, such as --set ${name}=1.8; npx tickfold model list has the ranges.`,
      );
    }
    if (values.has(name)) {
      throw new UsageError(`--set ${assignment}: ${name} is set twice.`, `Give one value for ${name}.`);
    }
    values.set(name, value);
  }
  return Object.fromEntries(values);
}
