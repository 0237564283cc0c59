import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execaNode } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));
const CRUISER = join(REPOSITORY, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');

describe('the import boundaries', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tickfold-boundaries-'));
    cpSync(join(REPOSITORY, '.dependency-cruiser.mjs'), join(folder, '.dependency-cruiser.mjs'));
    cpSync(join(REPOSITORY, 'tsconfig.base.json'), join(folder, 'tsconfig.base.json'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function check(files: Record<string, string>): Promise<{ status: number; report: string }> {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const { exitCode, all } = await execaNode(CRUISER, ['--config', '.dependency-cruiser.mjs', 'libs', 'apps'], {
      cwd: folder,
      reject: false,
      all: true,
      nodePath: process.execPath,
    });
    return { status: exitCode ?? -1, report: all };
  }

  const APP = { 'apps/ingest/src/main.ts': 'export const ingest = 1;\n' };

  it('let an app use a lib that it may use', async () => {
    const { status } = await check({
      'libs/market/src/index.ts': 'export const market = 1;\n',
      'apps/ingest/src/main.ts':
        "import { market } from '../../../libs/market/src/index.ts';\nexport const ingest = market;\n",
    });
    expect(status).toBe(0);
  });

  it('refuse a lib that imports an app, and name the rule', async () => {
    const { status, report } = await check({
      ...APP,
      'libs/market/src/index.ts':
        "import { ingest } from '../../../apps/ingest/src/main.ts';\nexport const market = ingest;\n",
    });
    expect(status).toBeGreaterThan(0);
    expect(report).toContain('boundary-libs-market');
  });

  it("refuse an import of a lib's inside, past its entry", async () => {
    const { status, report } = await check({
      'libs/market/src/hidden.ts': 'export const hidden = 1;\n',
      'apps/ingest/src/main.ts':
        "import { hidden } from '../../../libs/market/src/hidden.ts';\nexport const ingest = hidden;\n",
    });
    expect(status).toBeGreaterThan(0);
    expect(report).toContain('boundary-apps-ingest');
  });

  it('refuse a project that has no line in the table', async () => {
    const { status, report } = await check({
      'libs/market/src/index.ts': 'export const market = 1;\n',
      'apps/surprise/src/main.ts': "import { join } from 'node:path';\nexport const surprise = join;\n",
    });
    expect(status).toBeGreaterThan(0);
    expect(report).toContain('every-project-has-a-boundary');
  });
});
