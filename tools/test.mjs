// `npm test`: set-up (the browser and Apache Kafka included), lint, unit and integration tests, browser tests, and the true
// counts.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { build, checkNode, fail, installDependencies, repository, run } from './set-up.mjs';

checkNode();
await installDependencies();
const browser = await findOrInstallBrowser();
await build();

const totals = { passed: 0, failed: 0, skipped: 0 };
const [lintStatus] = await Promise.all([lint(), fetchApacheKafka()]);
count('lint', { passed: lintStatus === 0 ? 1 : 0, failed: lintStatus === 0 ? 0 : 1, skipped: 0 });

rmSync(join(repository, 'test-results'), { recursive: true, force: true });
rmSync(join(repository, 'e2e', 'test-results'), { recursive: true, force: true });
const testStatus = await run(process.execPath, [join(repository, 'node_modules/vitest/vitest.mjs'), 'run']);
// Not at the same time: on two cores that takes as long, and more of what is tested waits for a core.
const endToEndStatus = await run(process.execPath, [join(repository, 'node_modules/@playwright/test/cli.js'), 'test'], {
  cwd: join(repository, 'e2e'),
  env: { ...process.env, CHROMIUM_PATH: browser, PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD: '1' },
});
countVitest();
if (testStatus !== 0 && totals.failed === 0) count('a test run that ended early', { passed: 0, failed: 1, skipped: 0 });
countPlaywright(endToEndStatus);

process.stdout.write(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped\n`);
process.exitCode = totals.failed === 0 ? 0 : 1;

/** What `npm run lint` checks in each project, over the whole repository at once. */
async function lint() {
  const statuses = await Promise.all([
    run(process.execPath, [join(repository, 'node_modules/@biomejs/biome/bin/biome'), 'check', '.']),
    run('npm', ['run', '--silent', 'boundaries']),
    run('npm', ['run', '--silent', 'typecheck']),
  ]);
  return Math.max(...statuses);
}

/** Its rules are skipped, by their names, where it cannot be had: without Java and Maven. */
async function fetchApacheKafka() {
  const hasTools = ['java', 'mvn'].every((tool) => spawnSync(tool, ['--version']).status === 0);
  if (!hasTools) return;
  process.stdout.write('set-up: Apache Kafka, from Maven Central …\n');
  await run(process.execPath, [join(repository, 'tools/apache-kafka.mjs'), '--fetch']);
}

function projectFolders() {
  const { workspaces } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
  return workspaces
    .flatMap((pattern) => {
      if (!pattern.endsWith('/*')) return [join(repository, pattern)];
      const parent = join(repository, pattern.slice(0, -2));
      return readdirSync(parent).map((name) => join(parent, name));
    })
    .filter((folder) => existsSync(join(folder, 'package.json')));
}

function count(what, { passed, failed, skipped }) {
  totals.passed += passed;
  totals.failed += failed;
  totals.skipped += skipped;
  process.stdout.write(`${what}: ${passed} passed, ${failed} failed, ${skipped} skipped\n`);
}

/** Counts by project. One that has test files of which the report knows none has failed, whatever else was printed. */
function countVitest() {
  const report = join(repository, 'test-results', 'vitest.json');
  const files = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')).testResults : [];
  for (const project of projectFolders()) {
    const name = relative(repository, project);
    const own = files.filter((file) => file.name.startsWith(project + sep));
    if (own.length > 0) countProject(name, own);
    else if (hasTests(project)) count(`${name} (no report)`, { passed: 0, failed: 1, skipped: 0 });
  }
}

function countProject(name, files) {
  const tests = files.flatMap((file) => file.assertionResults);
  const skipped = tests.filter(({ status }) => status !== 'passed' && status !== 'failed');
  const failedTests = tests.filter(({ status }) => status === 'failed').length;
  // A file can fail by itself: it could not be loaded, or a hook failed.
  const failedFiles = files.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some(({ status }) => status === 'failed'),
  ).length;
  const passed = tests.filter(({ status }) => status === 'passed').length;
  count(name, { passed, failed: failedTests + failedFiles, skipped: skipped.length });
  for (const test of skipped) process.stdout.write(`  skipped: ${test.fullName}\n`);
}

function hasTests(project) {
  const scripts = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')).scripts ?? {};
  if (!scripts.test) return false;
  return ['src', 'test'].some(
    (folder) =>
      existsSync(join(project, folder)) &&
      readdirSync(join(project, folder), { recursive: true }).some((file) => /\.test\.tsx?$/.test(file)),
  );
}

function countPlaywright(status) {
  const report = join(repository, 'e2e', 'test-results', 'playwright.json');
  if (!existsSync(report)) {
    count('e2e (no report)', { passed: 0, failed: 1, skipped: 0 });
    return;
  }
  const { stats, errors } = JSON.parse(readFileSync(report, 'utf8'));
  const failed = stats.unexpected > 0 ? stats.unexpected : status === 0 ? 0 : Math.max(1, errors.length);
  count('e2e', { passed: stats.expected + stats.flaky, failed, skipped: stats.skipped });
}

/** Chromium: an installed one, else Debian's package (with kcat, a foreign Kafka client), else Playwright's own. */
async function findOrInstallBrowser() {
  const debian = spawnSync('apt-get', ['--version']).status === 0 && process.getuid?.() === 0;
  const missing = [findBrowser() ? '' : 'chromium', existsSync('/usr/bin/kcat') ? '' : 'kcat'].filter(Boolean);
  if (debian && missing.length > 0) {
    process.stdout.write(`set-up: ${missing.join(' and ')} from Debian's packages …\n`);
    const options = {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      stdio: ['ignore', 'ignore', 'inherit'],
    };
    await run('apt-get', ['update', '-qq'], options);
    const status = await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], options);
    if (status !== 0)
      fail(
        `apt-get could not install ${missing.join(' ')}.`,
        `Install it by hand: apt-get install ${missing.join(' ')}`,
      );
  } else if (!findBrowser()) {
    const status = await run('npx', ['playwright', 'install', '--with-deps', 'chromium']);
    if (status !== 0)
      fail(
        'no Chromium was found, and Playwright could not install one.',
        'Install Chromium and set CHROMIUM_PATH to it.',
      );
  }
  return findBrowser() ?? '';
}

function findBrowser() {
  const places = [
    process.env.CHROMIUM_PATH,
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ];
  return places.find((place) => place && existsSync(place));
}
