import type { EngineEvent, VolumeDescription } from './api.ts';
import { EngineError } from './errors.ts';
import { hasCode, isDiskFull, isSystemError } from './system-errors.ts';

/**
 * Volumes of the data folder whose journal could not be opened. The others serve; of these nothing is read, and nothing is
 * made in their place, until somebody has mended or deleted them.
 */
export class RefusedVolumes {
  readonly #errors = new Map<string, EngineError>();

  /**
   * Takes note of what keeps a volume from being opened, and gives the event that tells it.
   * @throws the error itself where another volume would meet it too, or where it is a defect
   */
  add(volume: string, error: unknown): EngineEvent {
    if (!(error instanceof EngineError || isSystemError(error)) || concernsAll(error)) throw error;
    const message = `volume ${volume} was not opened: ${error.message}`;
    const mend = error instanceof EngineError ? { mend: error.mend } : {};
    const refusal = new EngineError('volume-stopped', message, { cause: error, ...mend });
    this.#errors.set(volume, refusal);
    return { kind: 'volume-stopped', volume, detail: refusal.message, mend: refusal.mend };
  }

  /** @throws EngineError `volume-stopped` */
  check(volume: string): void {
    const refusal = this.#errors.get(volume);
    if (refusal !== undefined) throw refusal;
  }

  /** True when it was refused until now. */
  forget(volume: string): boolean {
    return this.#errors.delete(volume);
  }

  get count(): number {
    return this.#errors.size;
  }

  describe(): VolumeDescription[] {
    return [...this.#errors].map(([name, { message, mend }]) => {
      return { name, sizeBytes: 0, segments: 0, stopped: { reason: message, mend } };
    });
  }
}

/** True where it is the process or the disk that lacks something, and no volume's fault. */
function concernsAll(error: Error): boolean {
  return isDiskFull(error) || hasCode(error, 'EMFILE', 'ENFILE', 'ENOMEM');
}
