import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildHistory, historyPath, simulatedHistory } from '@tickfold/history';
import { createSimulator, type EnrichedTick, parseTick, type SimulatorOptions } from '@tickfold/market';
import { createEnricher } from '../../enrichment/src/enricher.ts';
import { readReferences } from '../../enrichment/src/references.ts';

/** A simulated session, joined with its synthetic history as the enrichment app joins it, in order of time. */
export async function enrichedSession(options: SimulatorOptions = {}): Promise<Iterable<EnrichedTick>> {
  const simulator = createSimulator(options);
  const dataDir = mkdtempSync(join(tmpdir(), 'tickfold-session-'));
  try {
    await buildHistory({ path: historyPath(dataDir), source: simulatedHistory(options) });
    const enricher = createEnricher((await readReferences(dataDir, simulator.date)).references);
    return (function* () {
      const state = enricher.createState();
      for (const records of simulator.chunks()) {
        for (const { kind, line, eventTimeMs, source } of records) {
          yield enricher.enrich(state, parseTick(kind, line, eventTimeMs), source);
        }
      }
    })();
  } finally {
    rmSync(dataDir, { recursive: true });
  }
}
