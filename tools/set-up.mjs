// Set-up with nothing but Node.js: dependencies, then builds. Does only what is not done yet.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repository = dirname(dirname(fileURLToPath(import.meta.url)));

/** Runs a command in the repository and shows what it prints. @returns {Promise<number>} its exit status */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: repository, stdio: 'inherit', ...options });
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(signal ? 1 : (code ?? 1)));
  });
}

/** Ends the process with a message that a person can act on. */
export function fail(message, mend) {
  process.stderr.write(`tickfold: ${message}\nMend: ${mend}\n`);
  process.exit(1);
}

async function step(title, work) {
  const startedAtMs = Date.now();
  process.stdout.write(`set-up: ${title} …\n`);
  await work();
  process.stdout.write(`set-up: ${title}: done in ${((Date.now() - startedAtMs) / 1000).toFixed(1)} s\n`);
}

/** Installs what package-lock.json names, unless just that is installed. */
export async function installDependencies() {
  const lock = createHash('sha256')
    .update(readFileSync(join(repository, 'package-lock.json')))
    .digest('hex');
  const stamp = join(repository, 'node_modules', '.installed-lock');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  await step('dependencies (npm ci)', async () => {
    const status = await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
    if (status !== 0)
      fail(
        `npm ci ended with status ${status}.`,
        'See its message above; it needs a reachable npm registry and a writable folder.',
      );
    writeFileSync(stamp, lock);
  });
}

/**
 * Builds what changed: the Node.js projects in one compiler run over their references (a third of the time that a
 * compiler per project takes), the page through nx, whose cache knows whether it is built already.
 */
export async function build() {
  await step('build', async () => {
    const statuses = await Promise.all([
      run(process.execPath, [join(repository, 'node_modules/typescript/bin/tsc'), '-b', repository]),
      run(process.execPath, [nxEntry(), 'run', '@tickfold/app-web-client:build', '--outputStyle=static'], {
        env: nxEnv(),
        stdio: ['ignore', 'ignore', 'inherit'],
      }),
    ]);
    if (statuses.some((status) => status !== 0))
      fail('the build failed.', 'See the message above; `npm run build` shows it project by project.');
  });
}

export function nxEntry() {
  return join(repository, 'node_modules', 'nx', 'dist', 'bin', 'nx.js');
}

export function nxEnv() {
  return { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false', NX_NO_CLOUD: 'true' };
}

export function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    fail(
      `Node.js ${process.versions.node} is too old; Tickfold needs 20.19 or newer.`,
      'Install a newer Node.js from https://nodejs.org.',
    );
  }
}
