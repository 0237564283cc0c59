import { readFileSync } from 'node:fs';
import { describeError, printError, UserError } from '@tickfold/app-runtime';
import { CommanderError } from 'commander';
import type { Outcome } from './outcome.ts';
import { createProgram } from './program.ts';
import type { System } from './system.ts';

export interface Surroundings {
  /** Called once the arguments are understood. */
  openSystem(): Promise<System>;
  stdout: NodeJS.WritableStream;
  stderr: NodeJS.WritableStream;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
}

const INTERRUPTED = 130;

/**
 * One command, from its arguments to its exit status: 0 done, 1 failed or different, 2 wrong usage, 130 interrupted. The
 * result goes to `stdout`; a failure to the standard error output, as message and mend.
 */
export async function run(arguments_: string[], { openSystem, stdout, stderr, signal }: Surroundings): Promise<number> {
  let exitStatus = 0;
  const program = createProgram(
    async (command) => {
      const outcome = await command(await openSystem());
      await write(stdout, program.opts().json === true ? asJson(outcome) : asText(outcome));
      exitStatus = outcome.exitStatus;
    },
    { writeOut: (text) => void stdout.write(text), writeErr: (text) => void stderr.write(text) },
    version(),
  );
  try {
    await program.parseAsync(arguments_, { from: 'user' });
    return exitStatus;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    printError('tickfold', inWords(error));
    return signal.aborted ? INTERRUPTED : statusOf(error);
  }
}

/** Codes of the libraries' errors that say: what was typed cannot be meant. */
const USAGE_CODES: ReadonlySet<unknown> = new Set([
  ...[
    'unknown-model',
    'unknown-parameter',
    'parameter-not-a-number',
    'parameter-out-of-range',
    'parameters-unreadable',
  ],
  ...['illegal-name', 'target-refused', 'bad-setting'],
]);

function statusOf(error: unknown): number {
  if (!(error instanceof Error)) return 1;
  // What the owner of the volumes refused carries the owner's code as its reason.
  const { code, reason } = error as { code?: unknown; reason?: unknown };
  return USAGE_CODES.has(code) || USAGE_CODES.has(reason) ? 2 : describeError(error).exitStatus;
}

/** Errors that libraries word for the programs that use them. */
function inWords(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if (error.name === 'AbortError') return new UserError('interrupted.', 'Give the command again.');
  if ('code' in error && error.code === 'disconnected') {
    return new UserError(
      `The broker went away before it answered (${error.message}).`,
      'See what is there (npx tickfold snapshot list, volume list, model audit), then give the command again.',
    );
  }
  return error;
}

function asJson({ json }: Outcome): string {
  return `${JSON.stringify(json, null, 2)}\n`;
}

function asText({ text, next }: Outcome): string {
  return next === undefined ? `${text}\n` : `${text}\n\nNext: npx tickfold ${next}\n`;
}

function write(stream: NodeJS.WritableStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => stream.write(text, (error) => (error ? reject(error) : resolve())));
}

function version(): string {
  const manifest = new URL('../package.json', import.meta.url);
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}
