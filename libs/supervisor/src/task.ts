import { launch } from './launch.ts';
import { ServiceFailed } from './service.ts';

/** Work that is done once, before the services start. */
export interface TaskSpec {
  name: string;
  entry: string;
  env: Record<string, string>;
  heapMiB?: number;
}

/** Runs the task to its end; it prints its progress to our terminal. @throws ServiceFailed when it fails */
export async function runTask(
  { name, entry, env, heapMiB = 512 }: TaskSpec,
  { signal }: { signal: AbortSignal },
): Promise<void> {
  const child = launch({ name, entry, env, heapMiB });
  const stop = (): void => {
    child.kill('SIGTERM');
  };
  signal.addEventListener('abort', stop, { once: true });
  const { exitCode, signal: killedBy } = await child;
  signal.removeEventListener('abort', stop);
  if (!signal.aborted && exitCode !== 0)
    throw new ServiceFailed(name, killedBy ?? `exit status ${exitCode}`, exitCode ?? 1);
}
