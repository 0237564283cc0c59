import { UsageError } from '@tickfold/app-runtime';
import { expect, test } from 'vitest';
import { createProgram } from './program.ts';

async function parse(...arguments_: string[]): Promise<{ out: string; ran: boolean; json: unknown }> {
  const result: { out: string; ran: boolean; json: unknown } = { out: '', ran: false, json: undefined };
  const program = createProgram(
    async () => {
      result.ran = true;
    },
    {
      writeOut: (text) => {
        result.out += text;
      },
      writeErr: () => {},
    },
    '1.2.3',
  );
  await program.parseAsync(arguments_, { from: 'user' }).catch((error) => {
    if (error.exitCode !== 0) throw error;
  });
  return { ...result, json: program.opts().json };
}

const COMMANDS = [
  ['snapshot', 'create', 'market@open'],
  ['snapshot', 'list'],
  ['snapshot', 'delete', 'market@open'],
  ['model', 'list'],
  ['model', 'replay', 'reversion-2', '--from', 'market@open', '--into', 'try-1', '--set', 'a=1', '--set', 'b=2'],
  ['model', 'promote', 'reversion-2'],
  ['model', 'rollback'],
  ['model', 'audit'],
  ['volume', 'list'],
  ['volume', 'diff', 'a', 'b'],
  ['volume', 'delete', 'try-1'],
];

test.each(COMMANDS)('%s %s runs, with --json before or after', async (...command) => {
  expect(await parse(...command)).toMatchObject({ ran: true, json: undefined });
  expect(await parse('--json', ...command)).toMatchObject({ ran: true, json: true });
  expect(await parse(...command, '--json')).toMatchObject({ ran: true, json: true });
});

test.each(COMMANDS)('%s %s has a help with an example, and does not run for it', async (noun, verb) => {
  const { out, ran } = await parse(noun!, verb!, '--help');
  expect(out).toContain(`Example:\n  npx tickfold ${noun} ${verb}`);
  expect(out).toContain('--json');
  expect(ran).toBe(false);
});

test('the program itself says its version, and tells the story in its help', async () => {
  expect((await parse('--version')).out).toBe('1.2.3\n');
  expect((await parse('--help')).out).toContain('npx tickfold snapshot create market@open');
});

test.each([
  [[], 'say what to do.', 'npx tickfold --help'],
  [['snapshot'], 'say what to do with a snapshot.', 'npx tickfold snapshot --help'],
  [['snapshto', 'list'], "unknown command 'snapshto'.", 'Did you mean snapshot?'],
  [['snapshot', 'make'], "snapshot: unknown command 'make'.", 'npx tickfold snapshot --help'],
  [['snapshot', 'list', '--all'], "snapshot list: unknown option '--all'.", 'npx tickfold snapshot list --help'],
  [['snapshot', 'create'], "snapshot create: missing required argument 'name'.", 'npx tickfold snapshot create --help'],
  [['snapshot', 'create', 'market@a', 'market@b'], 'too many arguments', 'npx tickfold snapshot create --help'],
  [['model', 'replay', 'reversion-2'], "required option '--from <snapshot>' not specified.", 'model replay --help'],
  [['volume', 'diff', 'a'], "volume diff: missing required argument 'b'.", 'npx tickfold volume diff --help'],
])('%j is wrong usage, and says where to read on', async (arguments_, message, mend) => {
  const error = await parse(...arguments_).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(UsageError);
  expect((error as UsageError).message).toContain(message);
  expect((error as UsageError).mend).toContain(mend);
});
