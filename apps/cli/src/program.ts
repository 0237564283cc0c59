import { UsageError } from '@tickfold/app-runtime';
import { Command, type CommanderError } from 'commander';
import type { Outcome } from './outcome.ts';
import type { System } from './system.ts';

/** Runs a command on the system, tells its outcome. */
export type Execute = (command: (system: System) => Promise<Outcome>) => Promise<void>;

export interface Output {
  writeOut(text: string): void;
  writeErr(text: string): void;
}

const NAME = 'npx tickfold';

/**
 * Every noun and verb with its help. A command's code is loaded when it runs: `--help` need not wait for it.
 * Parsing throws UsageError, or CommanderError of status 0 where only help or the version was asked for.
 */
export function createProgram(execute: Execute, output: Output, version: string): Command {
  const program = new Command(NAME)
    .description('Freezes the input, replays models on it, compares what they make of it, and promotes versions.')
    .version(version, '--version', 'print the version')
    .option('--json', 'print the result as JSON, for programs')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ ...output, outputError: () => {} })
    .addHelpText('after', FIVE_MINUTES);
  addArchiveCommands(addSnapshotCommands(program, execute), execute);
  addModelCommands(program, execute);
  addVolumeCommands(program, execute);
  refuseWithMend(program);
  return program;
}

const FIVE_MINUTES = `
The story, with ${'`npm start`'} running or not (promote and rollback need it):
  ${NAME} snapshot create market@open
  ${NAME} model replay reversion-2 --from market@open --into try-1 --set entrySignal=1.8
  ${NAME} volume diff model-reversion-2 try-1
  ${NAME} model promote reversion-2

Environment, as for npm start: DATA_DIR, HOST and BROKER_PORT; or BROKERS=host:port.
Exit status: 0 done; 1 failed, or volumes differ; 2 wrong usage.`;

function addSnapshotCommands(program: Command, execute: Execute): Command {
  const snapshot = program.command('snapshot').description('Immutable pictures of a volume, such as market@open');

  snapshot
    .command('create')
    .description('Freezes a volume as it is now: streams, tables and files at one cut. Writers go on.')
    .argument('<name>', 'VOLUME@NAME, such as market@open')
    .option('--with <volumes...>', 'other volumes, frozen at the same cut into the same snapshot')
    .addHelpText('after', example('snapshot create market@open'))
    .action((name: string, options: { with?: string[] }) =>
      execute(async (system) =>
        (await import('./commands/snapshot-create.ts')).createSnapshot({ name, ...options }, system),
      ),
    );

  snapshot
    .command('list')
    .description('Lists the snapshots that are there, with what each pins.')
    .addHelpText('after', example('snapshot list'))
    .action(() => execute(async (system) => (await import('./commands/snapshot-list.ts')).listSnapshots(system)));

  snapshot
    .command('delete')
    .description('Removes one snapshot of a volume, and nothing else of it.')
    .argument('<name>', 'VOLUME@NAME, such as market@open')
    .addHelpText('after', example('snapshot delete market@open'))
    .action((name: string) =>
      execute(async (system) => (await import('./commands/snapshot-delete.ts')).deleteSnapshot({ name }, system)),
    );
  return snapshot;
}

function addArchiveCommands(snapshot: Command, execute: Execute): void {
  snapshot
    .command('verify')
    .description('Reads all of a snapshot: checksums, offsets, indexes, files. Status 1 if it is damaged.')
    .argument('<name>', 'VOLUME@NAME, such as market@open')
    .addHelpText('after', example('snapshot verify market@open'))
    .action((name: string) =>
      execute(async (system) => (await import('./commands/snapshot-verify.ts')).verifySnapshot({ name }, system)),
    );

  snapshot
    .command('export')
    .description('Writes a snapshot as one file, a tar with checksums, to move it to another machine.')
    .argument('<name>', 'VOLUME@NAME, such as market@open')
    .argument('<file>', 'the file to make')
    .addHelpText('after', example('snapshot export market@open open.tar'))
    .action((name: string, file: string) =>
      execute(async (system) => (await import('./commands/snapshot-export.ts')).exportSnapshot({ name, file }, system)),
    );

  snapshot
    .command('import')
    .description('Takes an exported snapshot in, after checking every byte of it.')
    .argument('<file>', 'a file that snapshot export has made')
    .option('--as <name>', 'another name for it, of the same volume')
    .addHelpText('after', example('snapshot import open.tar --as market@monday'))
    .action((file: string, options: { as?: string }) =>
      execute(async (system) =>
        (await import('./commands/snapshot-import.ts')).importSnapshot({ file, ...options }, system),
      ),
    );

  snapshot
    .command('restore')
    .description('Makes a live volume of a snapshot; there must be none of that name.')
    .argument('<name>', 'VOLUME@NAME, such as model-reversion-2@noon')
    .option('--volume <volume>', 'which volume, of a snapshot of several')
    .addHelpText('after', example('snapshot restore try-1@noon'))
    .action((name: string, options: { volume?: string }) =>
      execute(async (system) =>
        (await import('./commands/snapshot-restore.ts')).restoreSnapshot({ name, ...options }, system),
      ),
    );
}

function addModelCommands(program: Command, execute: Execute): void {
  const model = program.command('model').description('Model versions: replay one, make one the champion');

  model
    .command('list')
    .description('Lists the versions of this build: role, parameters, their ranges.')
    .addHelpText('after', example('model list'))
    .action(() => execute(async (system) => (await import('./commands/model-list.ts')).listModels(system)));

  model
    .command('replay')
    .description('Runs a version over a snapshot, by the code that runs it live, into a new volume.')
    .argument('<version>', 'such as reversion-2')
    .requiredOption('--from <snapshot>', 'the frozen input: market@NAME')
    .requiredOption('--into <volume>', 'the volume to make')
    .option('--set <parameter=value>', 'a parameter other than its default; may be given again', collect, [])
    .addHelpText(
      'after',
      example('model replay reversion-2 --from market@open --into try-1 --set entrySignal=1.8 --set exitSignal=0.4'),
    )
    .action((version: string, options: { from: string; into: string; set: string[] }) =>
      execute(async (system) =>
        (await import('./commands/model-replay.ts')).replayVersion({ version, ...options }, system),
      ),
    );

  model
    .command('promote')
    .description('Makes a version that runs live the champion: live.decisions follows it from the next tick on.')
    .argument('<version>', 'such as reversion-2')
    .addHelpText('after', example('model promote reversion-2'))
    .action((version: string) =>
      execute(async (system) => (await import('./commands/model-promote.ts')).promote({ version }, system)),
    );

  model
    .command('rollback')
    .description('Undoes the latest promotion that is not undone yet.')
    .addHelpText('after', example('model rollback'))
    .action(() => execute(async (system) => (await import('./commands/model-promote.ts')).rollback(system)));

  model
    .command('audit')
    .description('Lists who made whom champion, when, and from which offset of each partition on.')
    .addHelpText('after', example('model audit'))
    .action(() => execute(async (system) => (await import('./commands/model-audit.ts')).audit(system)));
}

function addVolumeCommands(program: Command, execute: Execute): void {
  const volume = program.command('volume').description('Volumes: streams, tables and files of one name');

  volume
    .command('list')
    .description('Lists the volumes with who wrote them.')
    .addHelpText('after', example('volume list'))
    .action(() => execute(async (system) => (await import('./commands/volume-list.ts')).listVolumes(system)));

  volume
    .command('diff')
    .description(
      'Compares what two volumes hold, record by record, and prices the difference. Status 1 if they differ.',
    )
    .argument('<a>', 'VOLUME, or VOLUME@SNAPSHOT')
    .argument('<b>', 'VOLUME, or VOLUME@SNAPSHOT')
    .addHelpText('after', example('volume diff model-reversion-2 try-1'))
    .action((a: string, b: string) =>
      execute(async (system) => (await import('./commands/volume-diff.ts')).diffOf({ a, b }, system)),
    );

  volume
    .command('delete')
    .description('Removes a volume with all that is in it. Its snapshots stay.')
    .argument('<volume>', 'such as try-1')
    .addHelpText('after', example('volume delete try-1'))
    .action((name: string) =>
      execute(async (system) => (await import('./commands/volume-delete.ts')).deleteVolume({ name }, system)),
    );
}

function example(line: string): string {
  return `\nExample:\n  ${NAME} ${line}`;
}

function collect(value: string, previous: string[]): string[] {
  return [...previous, value];
}

/** Commander's own complaints become usage errors that say where to read on. */
function refuseWithMend(command: Command): void {
  command.exitOverride((error) => {
    throw error.exitCode === 0 ? error : usageError(error, pathOf(command));
  });
  for (const sub of command.commands) refuseWithMend(sub);
}

function usageError({ code, message }: CommanderError, path: string): UsageError {
  const mend = `${NAME}${path} --help says how it is used.`;
  if (code === 'commander.help') return new UsageError(`say what to do${path && ` with a${path}`}.`, mend);
  const [problem, ...suggestion] = message.replace(/^error: |\.$/g, '').split('\n');
  const where = path === '' ? '' : `${path.trim()}: `;
  return new UsageError(
    `${where}${problem}.`,
    [...suggestion.map((text) => text.replace(/[()]/g, '')), mend].join(' '),
  );
}

/** ` model replay`; empty for the program itself. */
function pathOf(command: Command): string {
  return command.parent === null ? '' : `${pathOf(command.parent)} ${command.name()}`;
}
